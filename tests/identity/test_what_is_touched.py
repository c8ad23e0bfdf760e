"""Whom and what a policy touches that hears otherwise, and who succeeds whom under it."""

from dataclasses import replace

import pytest

from identity.evidence import hear
from identity.identifiers import IdentifierKey
from identity.messages import AccountStatement, Message, MessageKind, SourceName, micros
from identity.policy import Namespace, Normaliser, Policy, Role
from identity.rehearing import (
    Belonged,
    Member,
    Sighted,
    Totals,
    Touched,
    member_of,
    move_aliases,
    named_by_alias,
    stated_by,
)
from tests.building import after, alias, default_policy, identify, message, track
from tests.identity.heard_anew import touched_by


def reading(namespace: str, normaliser: Normaliser) -> Policy:
    """The default policy, but for how it reads the values of a namespace."""
    policy = default_policy()
    rules = replace(policy.namespaces[namespace], normaliser=normaliser)
    return replace(policy, namespaces={**policy.namespaces, namespace: rules})


def blocking(*values: str) -> Policy:
    """The default policy, but that these values name nobody."""
    return replace(default_policy(), blocked_values=default_policy().blocked_values | set(values))


def key(text: str) -> IdentifierKey:
    return IdentifierKey(text)


def test_a_blocked_value_costs_the_messages_that_name_whom_it_was_tied_to() -> None:
    new = blocking("u0")
    touched = touched_by(default_policy(), new, [identify("u0", "a0"), identify("u1", "a1")])
    assert touched.identifiers == {"user_id:u0", "anonymous_id:a0"}
    totals = Totals(touched)
    assert totals.about == {"user_id:u0", "anonymous_id:a0"}
    concerned = [totals.concerned(each, new) for each in (track("a0"), track("a1"), identify("u0"))]
    assert concerned == [True, False, False]


def test_what_is_no_longer_a_contact_is_touched_also_where_it_is_named_as_before() -> None:
    said = message(MessageKind.IDENTIFY, [("user_id", "u1"), ("fax", "+49 30 1")])
    fax = Namespace(name="fax", role=Role.CONTACT_POINT, priority=1)
    touched = touched_by(default_policy(), default_policy().with_namespaces([fax]), [said])
    assert (touched.identifiers, touched.interactions) == ({"fax:+49 30 1"}, {})


def test_a_phone_number_without_its_country_is_one_of_those_that_a_message_names() -> None:
    new = reading("phone", Normaliser.PHONE)
    touched = Touched(identifiers={key("phone:+491712345678")})
    here, nowhere = (message(MessageKind.TRACK, [("phone", "0171 2345678")], region=region) for region in ("DE", None))
    assert (Totals(touched).concerned(here, new), Totals(touched).concerned(nowhere, new)) == (True, False)


MAILBOX = key("email:lee@gmail.com")
DOTTED = [key("email:l.ee@gmail.com"), key("email:le.e@gmail.com")]


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_addresses_that_a_mailbox_falls_into_the_first_by_name_succeeds_it(order: int) -> None:
    said = [identify("u1", email="l.ee@gmail.com"), identify("u1", email="le.e@gmail.com")]
    touched = touched_by(reading("email", Normaliser.EMAIL_FOLDED), reading("email", Normaliser.EMAIL), said[::order])
    assert touched.successors == {MAILBOX: DOTTED[0]}
    assert touched.heirs == {MAILBOX: {*DOTTED}}


def test_addresses_that_become_one_mailbox_are_all_succeeded_by_it_and_the_others_stay() -> None:
    said = [identify("u1", email=each) for each in ("l.ee@gmail.com", "le.e@gmail.com", "ann@x.com")]
    touched = touched_by(reading("email", Normaliser.EMAIL), reading("email", Normaliser.EMAIL_FOLDED), said)
    assert touched.successors == dict.fromkeys(DOTTED, MAILBOX)
    assert touched.heirs == {each: {MAILBOX} for each in DOTTED}


def test_a_number_is_succeeded_in_the_country_in_which_it_was_said() -> None:
    said = [message(MessageKind.IDENTIFY, [("user_id", "u1"), ("phone", "0171 2345678")], region="DE")]
    as_text, as_number = reading("phone", Normaliser.TEXT), reading("phone", Normaliser.PHONE)
    pair = key("phone:0171 2345678"), key("phone:+491712345678")
    assert touched_by(as_text, as_number, said).successors == dict([pair])
    assert touched_by(as_number, as_text, said).successors == dict([pair[::-1]])


def test_a_value_that_names_nobody_any_more_is_succeeded_by_nobody() -> None:
    touched = touched_by(default_policy(), blocking("u0"), [identify("u0", "a0")])
    assert (touched.successors, touched.heirs) == ({}, {})


PREVIOUS = key("user_id:old"), key("anonymous_id:old")


@pytest.mark.parametrize("known", [True, False])
def test_what_an_alias_may_mean_is_succeeded_by_what_it_means(known: bool) -> None:
    totals = Totals(touched_by(default_policy(), default_policy(), [alias("old", "new")]))
    move_aliases(totals, PREVIOUS[:1] if known else ())
    user, anonymous = PREVIOUS
    assert totals.touched.successors == ({anonymous: user} if known else {user: anonymous})


def test_a_successor_that_messages_name_stands_before_what_an_alias_means() -> None:
    touched = touched_by(default_policy(), default_policy(), [alias("old", "new")])
    touched.successors[PREVIOUS[0]] = key("user_id:spelt anew")
    move_aliases(Totals(touched), ())
    assert touched.successors == {PREVIOUS[0]: "user_id:spelt anew"}


def test_an_identifier_that_aliases_alone_know_was_there_from_the_first_of_them_to_the_last() -> None:
    said = [alias("old", "u1", at=3), alias("old", "u2", at=1), alias("old", "u1", at=2), alias("other", "u1", at=9)]
    touched = touched_by(default_policy(), default_policy(), said)
    assert named_by_alias(touched) == {"anonymous_id:old", "anonymous_id:other"}
    totals = Totals(touched)
    move_aliases(totals, ())
    first, last = (hear(each, default_policy()).aliases[0].link.first_seen for each in (said[1], said[0]))
    assert totals.identifiers[PREVIOUS[1]] == Sighted(first, last, 0, sighted=False)


def belonging(**said: object) -> Message:
    words = message(MessageKind.GROUP, [("user_id", "u1")], source="crm")
    return replace(words, account=AccountStatement("account:acme", **said))  # type: ignore[arg-type] # handed through


@pytest.mark.parametrize(
    ("said", "member"),
    [
        (belonging(role="admin"), (key("user_id:u1"), "account:acme", "admin", "crm")),
        (belonging(), (key("user_id:u1"), "account:acme", "member", "crm")),
        (belonging(member=False, role="admin"), None),
        (replace(belonging(), account=None), None),
        (replace(belonging(), sightings=()), None),
    ],
    ids=["with a role", "with no word of it", "of the account alone", "of no account", "of nobody"],
)
def test_a_message_states_the_membership_of_who_acted(said: Message, member: Member | None) -> None:
    assert member_of(hear(said, default_policy())) == member


def test_a_membership_is_added_up_under_the_name_it_moves_to_and_no_other_is() -> None:
    old, new = default_policy(), reading("email", Normaliser.TEXT)
    moved = [replace(belonging(), sightings=identify(email="Ann@x.com").sightings, at=after(each)) for each in (3, 1)]
    stays = [identify("u2", email="Ann@x.com"), replace(belonging(), sightings=identify("u2").sightings)]
    totals = Totals(touched_by(old, new, [*moved, *stays]))
    for recorded_at, each in enumerate([*moved, *stays]):
        totals.hear(each, recorded_at, new)
    first, last = micros(after(1)), micros(after(3))
    assert totals.members == {
        (key("email:Ann@x.com"), "account:acme", "member", "crm"): Belonged(
            first, last, recorded_at=0, last_recorded_at=1
        )
    }


def test_a_message_states_the_values_of_who_acted_each_as_a_text() -> None:
    said = replace(identify("u1", "a1", traits={"name": "Ann", "sizes": {"b": 1, "a": None}}), source=SourceName("crm"))
    heard = hear(said, default_policy())
    assert list(stated_by(heard).items()) == [
        (("user_id:u1", "name", "crm", '"Ann"'), heard.observations[0]),
        (("user_id:u1", "sizes", "crm", '{"a":null,"b":1}'), heard.observations[1]),
    ]
    assert stated_by(hear(replace(said, sightings=()), default_policy())) == {}
