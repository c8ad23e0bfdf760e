"""In columns, too, what contradicts itself is refused: parts with a conflict are found, all others joined at once."""

from dataclasses import replace

import pytest

from identity.evidence import Act, ActKind
from identity.messages import Authority, Message, MessageKind
from identity.policy import KindRules, Namespace, OverActive, Policy, Role
from tests.building import act, alias, default_policy, identify, message, track
from tests.identity.columns import retold

CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)


def loose() -> Policy:
    """The default policy in which no device is ever generic, with a second unique namespace."""
    policy = default_policy().with_namespaces([CRM])
    device = replace(policy.namespaces["anonymous_id"], generic_above=None)
    return replace(policy, namespaces={**policy.namespaces, "anonymous_id": device})


def one_address() -> Policy:
    """In which a person has one address, and others stay apart."""
    policy = loose()
    email = replace(policy.namespaces["email"], over_active=OverActive.APART, active=1)
    return replace(policy, namespaces={**policy.namespaces, "email": email})


def minimum(kind: str, least: Authority) -> Policy:
    return replace(default_policy(), kinds={kind: KindRules(minimum_authority=least)})


def said(*keys: str, at: float = 1, authority: Authority = Authority.CLAIMED, record: bool = False) -> Message:
    named = [(each.partition(":")[0], each.partition(":")[2]) for each in keys]
    return message(MessageKind.IDENTIFY, named, at=at, authority=authority, record=record)


def by_hand(kind: ActKind, one: str, other: str, at: float = 20) -> Act:
    return act(kind, one, other, at=at)


def test_two_users_on_one_device_stay_two_people() -> None:
    told = retold(identify("u1", "a1", at=1), identify("u2", "a1", at=2), policy=loose())
    assert told.why == {("anonymous_id:a1", "user_id:u2"): "unique"}


TWO_RECORDS = [said("crm:c1", "user_id:u1"), said("crm:c2", "user_id:u1", at=2)]
TWO_ADDRESSES = [identify("u2", email="d@x.com", at=1), identify("u2", email="e@x.com", at=2)]
THREE_DEVICES = [identify("u3", f"a{number}", at=number) for number in (1, 2, 3)]


@pytest.mark.parametrize("back", [False, True])
def test_a_conflict_of_each_kind_is_found_beside_the_others(back: bool) -> None:
    parts = [TWO_RECORDS, TWO_ADDRESSES, THREE_DEVICES]
    steps = [each for part in (reversed(parts) if back else parts) for each in part]
    told = retold(*steps, policy=replace(one_address(), profile_limit=3))
    assert told.why == {
        ("crm:c2", "user_id:u1"): "unique",
        ("email:e@x.com", "user_id:u2"): "limit",
        ("anonymous_id:a3", "user_id:u3"): "size",
    }


def test_what_nothing_contradicts_is_joined_however_much_it_is() -> None:
    steps = [*THREE_DEVICES, said("crm:c1", "user_id:u3", "email:d@x.com")]
    told = retold(*steps, policy=replace(one_address(), profile_limit=6))
    assert (len(told.people), told.refused) == (1, {})


def test_who_stands_as_different_does_not_meet_through_a_third() -> None:
    apart = by_hand(ActKind.DIFFERENT, "email:e@x.com", "user_id:u1")
    told = retold(identify("u1", "a1"), track("a1", email="e@x.com"), apart, policy=loose())
    assert told.why == {("anonymous_id:a1", "email:e@x.com"): "different"}


def test_a_link_between_who_stands_as_different_is_refused_alone() -> None:
    apart = by_hand(ActKind.DIFFERENT, "anonymous_id:a1", "user_id:u1")
    told = retold(identify("u1", "a1"), identify("u1", "a2"), apart, policy=loose())
    assert told.why == {("anonymous_id:a1", "user_id:u1"): "different"}
    assert ["anonymous_id:a2", "user_id:u1"] in told.people


@pytest.mark.parametrize("kind", [ActKind.SAME, ActKind.DIFFERENT])
@pytest.mark.parametrize("ghost", ["anonymous_id:ghost", "user_id:u9"])
def test_acts_about_what_nobody_saw_change_nobody(kind: ActKind, ghost: str) -> None:
    retold(identify("u1", "a1"), by_hand(kind, ghost, "phone:+491712345678"), policy=loose())
    told = retold(identify("u1", "a1"), by_hand(kind, ghost, "user_id:u1"), policy=loose())
    assert (told.people, told.refused) == ([["anonymous_id:a1", "user_id:u1"]], {})


def test_links_by_hand_are_refused_as_generic_and_by_conflict() -> None:
    shared = [said(f"user_id:u{number}", "email:e@x.com", authority=Authority.VERIFIED) for number in (1, 2)]
    acts = [
        by_hand(ActKind.SAME, "anonymous_id:a9", "email:e@x.com"),
        by_hand(ActKind.SAME, "user_id:u3", "user_id:u4"),
    ]
    told = retold(*shared, track("a9"), identify("u3"), identify("u4"), *acts, policy=loose())
    assert told.why["anonymous_id:a9", "email:e@x.com"] == "generic"
    assert told.why["user_id:u3", "user_id:u4"] == "unique"


def test_a_link_by_hand_that_nothing_contradicts_joins() -> None:
    told = retold(
        identify("u1", "a1"), track("a2"), by_hand(ActKind.SAME, "anonymous_id:a2", "user_id:u1"), policy=loose()
    )
    assert told.people == [["anonymous_id:a1", "anonymous_id:a2", "user_id:u1"]]


def test_aliases_of_users_replace_where_the_policy_reads_them_so() -> None:
    steps = [identify("u1", "a1"), alias("u1", "u2", at=2), alias("u2", "u3", at=3)]
    kinds = {"alias": KindRules(overrides_from=Authority.CLAIMED)}
    assert len(retold(*steps, policy=replace(loose(), kinds=kinds)).people) == 1
    assert set(retold(*steps, policy=loose()).why.values()) == {"unique"}


def test_a_value_and_the_one_that_replaced_it_are_one() -> None:
    steps = [identify("u1", "a1"), identify("u2", "a1"), identify("u3", "a1"), identify("u4", "a4")]
    told = retold(*steps, by_hand(ActKind.OVERRIDE, "user_id:u1", "user_id:u2"), policy=loose())
    assert told.people == [
        ["anonymous_id:a1", "user_id:u1", "user_id:u2"],
        ["anonymous_id:a4", "user_id:u4"],
        ["user_id:u3"],
    ]


def test_values_that_two_unseen_ones_replaced_are_two() -> None:
    unseen = [by_hand(ActKind.OVERRIDE, f"user_id:u{number}", f"user_id:u{9 - number}") for number in (1, 2)]
    told = retold(identify("u1", "a1"), identify("u2", "a1", at=2), *unseen, policy=loose())
    assert told.why == {("anonymous_id:a1", "user_id:u2"): "unique"}


def test_a_value_that_an_unseen_one_replaced_is_not_the_last_that_was_seen() -> None:
    unseen = [by_hand(ActKind.OVERRIDE, f"user_id:u{n}", f"user_id:u{9 - n}", at=20 + n) for n in (1, 2)]
    told = retold(identify("u1", "a1"), identify("u2", "a2"), identify("u3", "a2", at=2), *unseen, policy=loose())
    assert told.why == {("anonymous_id:a2", "user_id:u3"): "unique"}


def test_a_value_that_an_unseen_one_replaced_for_two_is_one() -> None:
    unseen = [by_hand(ActKind.OVERRIDE, f"user_id:u{number}", "user_id:u9") for number in (1, 2)]
    told = retold(identify("u1", "a1"), identify("u2", "a1"), *unseen, policy=loose())
    assert told.people == [["anonymous_id:a1", "user_id:u1", "user_id:u2"]]


@pytest.mark.parametrize(
    ("kind", "record", "refused"),
    [("cooccur", False, True), ("import_key", False, False), ("import_key", True, True), ("cooccur", True, False)],
)
def test_what_is_said_with_too_little_authority_joins_nobody(kind: str, record: bool, refused: bool) -> None:
    claimed = said("user_id:u1", "crm:c1", record=record)
    verified = said("user_id:u2", "crm:c2", record=record, authority=Authority.VERIFIED)
    told = retold(claimed, verified, policy=minimum(kind, Authority.VERIFIED))
    assert told.why == ({("crm:c1", "user_id:u1"): "unverified"} if refused else {})


def test_a_weak_link_of_a_generic_thing_is_refused_for_its_weakness() -> None:
    shared = [said(f"user_id:u{number}", "email:e@x.com", authority=Authority.VERIFIED) for number in (1, 2)]
    weak = said("anonymous_id:a1", "email:e@x.com")
    told = retold(*shared, weak, policy=minimum("cooccur", Authority.VERIFIED))
    assert told.why["anonymous_id:a1", "email:e@x.com"] == "unverified"
    assert told.why["email:e@x.com", "user_id:u1"] == "generic"
