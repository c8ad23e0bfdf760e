"""Who sends what is in vain is told so: the sender alone, once, and in words that say why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act, ActKind, Heard, Kind, Link, LinkId, Reason, hear, resolved
from identity.identifiers import IdentifierKey
from identity.messages import AccountStatement, Authority, Message, MessageId, MessageKind, Warned
from identity.policy import KindRules, OverActive, Policy
from identity.warnings import Found, warnings_of
from tests.building import act, alias, default_policy, identify, message, track
from tests.identity.histories import some_message, some_steps
from tests.identity.memory import history_of
from tests.identity.policies import some_policy, with_rules


@dataclass(frozen=True)
class Batch:
    """A batch that came after a history: what its messages say, what recording it found, who is told what."""

    heard: list[Heard]
    found: Found
    told: Mapping[MessageId, tuple[Warned, ...]]

    def of(self, said: Message) -> list[tuple[str, str, str]]:
        """What one message is told: code, place and sentence."""
        return [(each.code, each.place, each.sentence) for each in self.told.get(said.id, ())]

    def codes(self, said: Message) -> list[str]:
        return [code for code, _, _ in self.of(said)]


def received(
    batch: list[Message],
    *earlier: Message | Act,
    policy: Policy | None = None,
    cyclic: frozenset[tuple[str, str]] = frozenset(),
) -> Batch:
    """What a batch finds that comes after other messages and acts. cyclic: child and parent of what was refused."""
    rules = policy or default_policy()
    made = history_of(*earlier, policy=rules)
    known, judged, people = set(made.identifiers), dict(made.verdicts), dict(made.clusters)
    made.receive(batch)
    found = Found(
        verdicts={id_: why for id_, why in made.verdicts.items() if id_ not in judged or judged[id_] is not why},
        cyclic=cyclic,
        clusters=[each for id_, each in made.clusters.items() if people.get(id_) != each],
        new=made.identifiers.keys() - known,
    )
    heard = [hear(each, rules) for each in batch]
    return Batch(heard, found, warnings_of(heard, found, rules))


def stated(heard: Heard, links: Mapping[LinkId, Reason | None]) -> list[LinkId]:
    """The links of some that a message says itself, its aliases in either sense."""
    users = [(), [IdentifierKey(f"user_id:{each.previous}") for each in heard.aliases]]
    aliases: list[Link | None] = [resolved(each, known) for each in heard.aliases for known in users]
    return [link.id for link in (*heard.links, *aliases) if link is not None and link.id in links]


@given(some_steps, some_message(), some_policy)
def test_who_states_a_link_that_is_refused_is_told_why(
    steps: list[Message | Act], last: Message, policy: Policy
) -> None:
    batch = received([last], *steps, policy=policy)
    for link in stated(batch.heard[0], batch.found.verdicts):
        why = batch.found.verdicts[link]
        if why and (why is not Reason.GENERIC or link.kind is Kind.ALIAS):
            start = f"{link.a} and {link.b} were not joined: "
            assert f"refused_{why.value}" in [each.code for each in batch.told[last.id] if start in each.sentence]


@given(some_steps, st.lists(some_message(), max_size=4, unique_by=lambda each: each.id), some_policy)
def test_nobody_is_told_of_a_link_of_which_she_carries_no_end_or_of_what_a_batch_did_not_find(
    steps: list[Message | Act], last: list[Message], policy: Policy
) -> None:
    batch = received(last, *steps, policy=policy)
    refused = {
        f"{link.a} and {link.b} were not joined": link for link, why in batch.found.verdicts.items() if why is not None
    }
    for heard in batch.heard:
        carried = {each.key for each in heard.identifiers}
        for each in batch.told.get(heard.message.id, ()):
            about = refused.get(each.sentence.partition(": ")[0])
            assert each.code == "limit_exceeded" if about is None else {about.a, about.b} & carried


UNIQUE = "one person would have two values of a unique namespace; an override can say that one replaces it"
DIFFERENT = "they stand as different people by a manual act"
SIZE = "the person would have more identifiers than the policy allows"
LIMIT = "the person would have more identifiers of one namespace than the policy allows"
SLIP = "if u1 is the id of an installation or a browser, send it as anonymousId, which joins her"
UNVERIFIED = "the policy asks for more authority than this source or key has"
GENERIC = "one of them is shared by several people"
# Before; the message; the policy; code, place, who was not joined, why.
CASES: dict[str, tuple[list[Message | Act], Message, Policy, tuple[str, str, str, str]]] = {
    "two users by one address": (
        [identify("u1", "a1", at=1), identify("u2", email="e1@x.com", at=2)],
        track("a1", email="e1@x.com", at=3),
        default_policy(),
        ("refused_unique", "identifiers", "anonymous_id:a1 and email:e1@x.com", UNIQUE),
    ),
    "two users by an alias": (
        [identify("u1", at=1)],
        alias("u1", "u2", at=2),
        default_policy(),
        ("refused_unique", "previousId", "user_id:u1 and user_id:u2", f"{UNIQUE}; {SLIP}"),
    ),
    "two users who stand apart": (
        [identify("u1", at=1), act(ActKind.DIFFERENT, "user_id:u1", "user_id:u2", at=2)],
        alias("u1", "u2", at=3),
        with_rules("user_id", unique=False),
        ("refused_different", "previousId", "user_id:u1 and user_id:u2", DIFFERENT),
    ),
    "two who stand apart": (
        [act(ActKind.DIFFERENT, "user_id:u1", "anonymous_id:a1", at=1)],
        identify("u1", "a1", at=2),
        default_policy(),
        ("refused_different", "identifiers", "anonymous_id:a1 and user_id:u1", DIFFERENT),
    ),
    "an alias of what stands apart, as a user": (
        [identify("u1", at=1), act(ActKind.DIFFERENT, "user_id:u1", "anonymous_id:a1", at=2)],
        alias("u1", on="a1", at=3),
        default_policy(),
        ("refused_different", "previousId", "anonymous_id:a1 and user_id:u1", DIFFERENT),
    ),
    "too many": (
        [identify("u1", "a1", at=1)],
        identify("u1", "a2", at=2),
        replace(default_policy(), profile_limit=2),
        ("refused_size", "identifiers", "anonymous_id:a2 and user_id:u1", SIZE),
    ),
    "too many addresses": (
        [identify("u1", email="e1@x.com", at=1)],
        identify("u1", email="e2@x.com", at=2),
        with_rules("email", active=1, over_active=OverActive.APART),
        ("refused_limit", "identifiers", "email:e2@x.com and user_id:u1", LIMIT),
    ),
    "too little authority": (
        [],
        identify("u1", "a1", at=1),
        replace(default_policy(), kinds={"cooccur": KindRules(minimum_authority=Authority.VERIFIED)}),
        ("refused_unverified", "identifiers", "anonymous_id:a1 and user_id:u1", UNVERIFIED),
    ),
    "an alias of a shared device": (
        [identify("u1", "a1", at=1), identify("u2", "a1", at=2)],
        alias("a1", "u3", at=3),
        default_policy(),
        ("refused_generic", "previousId", "anonymous_id:a1 and user_id:u3", GENERIC),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_was_not_joined_where_it_stood_and_why(name: str) -> None:
    earlier, last, policy, (code, place, pair, why) = CASES[name]
    batch = received([last, track("a9", at=9)], *earlier, policy=policy)
    assert batch.of(last) == [(code, place, f"{pair} were not joined: {why}")]
    assert set(batch.told) == {last.id}


def test_what_is_seen_beside_a_shared_thing_is_no_surprise() -> None:
    batch = received([identify("u3", "a1", at=3)], identify("u1", "a1", at=1), identify("u2", "a1", at=2))
    assert Reason.GENERIC in batch.found.verdicts.values()
    assert batch.told == {}


def test_two_user_ids_that_were_tied_by_hand_are_no_slip_of_an_alias() -> None:
    both = message(MessageKind.IDENTIFY, [("user_id", "u1"), ("user_id", "u2")])
    batch = received([both], act(ActKind.SAME, "user_id:u1", "user_id:u2", at=1))
    assert batch.of(both) == [("refused_unique", "identifiers", f"user_id:u1 and user_id:u2 were not joined: {UNIQUE}")]


def test_an_alias_is_not_told_of_what_its_previous_id_may_mean_besides() -> None:
    named, both = alias("x", "u1", at=3), identify("x", "x", at=4)
    batch = received([named, both], act(ActKind.DIFFERENT, "anonymous_id:x", "user_id:x", at=1))
    assert batch.codes(both) == ["refused_different"]
    assert [sentence.partition(":")[0] for _, _, sentence in batch.of(named)] == ["user_id"]
    assert batch.codes(named) == ["refused_unique"]


def group(name: str, parent: str | None = None, at: float = 0.0) -> Message:
    """Somebody who belongs to an account that may be part of another."""
    return message(
        MessageKind.GROUP, [("anonymous_id", f"a {name}")], at=at, account=AccountStatement(name, parent=parent)
    )


def test_who_makes_an_account_part_of_itself_is_told_and_nobody_else() -> None:
    good, bad, plain = group("account:lab", "account:corp"), group("account:corp", "account:lab"), track("a1")
    top = group("account:corp", at=1)
    batch = received([plain, good, top, bad], cyclic=frozenset({("account:corp", "account:lab")}))
    why = "with what is believed more or was said before, it would be part of itself"
    assert batch.of(bad) == [("cycle", "account.parent", f"account:corp cannot be part of account:lab: {why}")]
    assert set(batch.told) == {bad.id}
    assert received([plain, good, bad]).told == {}


BEYOND = "the person has more than 1 values of email; those beyond the oldest are inactive, and still resolve to her"


def test_who_adds_an_identifier_beyond_those_that_are_shown_as_active_is_told_of_that_one() -> None:
    first, second = identify("u1", email="e1@x.com", at=1), identify("u1", "a2", email="e2@x.com", at=2)
    policy = with_rules("email", active=1)
    assert received([first], policy=policy).told == {}
    batch = received([track("a2", at=3), second], first, policy=policy)
    assert batch.told == {second.id: (Warned("limit_exceeded", "identifiers", BEYOND),)}
    assert received([identify("u1", "a3", email="e2@x.com", at=4)], first, second, policy=policy).told == {}


def test_only_what_is_too_many_of_its_own_namespace_is_beyond() -> None:
    policy = with_rules("email", active=2)
    first, third = identify("u1", email="e1@x.com", at=1), identify("u1", email="e3@x.com", at=3)
    second = identify("u1", email="e2@x.com", at=2)
    assert received([second], first, policy=policy).told == {}
    (warned,) = received([third], first, second, policy=policy).told[third.id]
    assert warned.sentence.startswith("the person has more than 2 values of email;")


@pytest.mark.parametrize("rules", [{"active": None}, {"active": 1, "active_days": 90}])
def test_where_all_are_active_or_newer_ones_take_the_place_of_older_ones_nobody_is_told(rules: dict[str, int]) -> None:
    policy = with_rules("email", **rules)
    many = [identify("u1", email=f"e{number}@x.com", at=number) for number in range(3)]
    assert received(many[2:], *many[:2], policy=policy).told == {}


def test_a_message_is_told_everything_its_refusals_first() -> None:
    policy = with_rules("email", active=1)
    statement = AccountStatement("account:corp", parent="account:lab")
    names = [("user_id", "u1"), ("email", "e2@x.com"), ("anonymous_id", "a2")]
    last = message(MessageKind.GROUP, names, at=3, account=statement)
    batch = received(
        [last],
        identify("u1", email="e1@x.com", at=1),
        act(ActKind.DIFFERENT, "user_id:u1", "anonymous_id:a2", at=1),
        policy=policy,
        cyclic=frozenset({("account:corp", "account:lab")}),
    )
    assert batch.codes(last) == ["refused_different", "refused_different", "cycle", "limit_exceeded"]
