"""The rule, point by point: generic, unique, different, size, overrides, derived links, authority, times, anchors."""

from dataclasses import replace
from functools import partial

import pytest

from identity.evidence import Act, ActId, ActKind, Kind, Link, Reason, hear, sha256_of
from identity.identifiers import IdentifierKey
from identity.messages import Authority, Message, MessageId, MessageKind, SourceName, micros
from identity.policy import KindRules, Namespace, OverActive, Policy, Role
from identity.stitching import Evidence, one_value_with, overrides_said, standing_of, stitch
from tests.building import act, after, alias, default_policy, identify, merged, message, minting, track
from tests.identity.memory import History, history_of, people_of, refusals_of

HASH = f"email_sha256:{sha256_of('e@x.com')}"
CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)
VERIFIED, IMPORTED = Authority.VERIFIED, Authority.IMPORTED


def limited(namespace: str, partners: int) -> Policy:
    policy = default_policy()
    return replace(
        policy,
        namespaces={**policy.namespaces, namespace: replace(policy.namespaces[namespace], max_partners=partners)},
    )


def said(*identifiers: str, at: float = 1.0, authority: Authority = Authority.CLAIMED) -> Message:
    named = [(each.partition(":")[0], each.partition(":")[2]) for each in identifiers]
    return message(MessageKind.IDENTIFY, named, at=at, authority=authority)


def generic_in(history: History) -> dict[str, str]:
    return {key: why.value for key, why in history.generic.items()}


def id_of(history: History, key: str) -> str:
    """Whose mint is the id of the profile that this identifier belongs to."""
    profile = history.profile_of[IdentifierKey(key)]
    return next(each.key for each in history.identifiers.values() if each.mint == profile)


# Generic: two values of a unique namespace, or too many partners


def test_what_two_users_share_is_generic_and_links_nobody() -> None:
    made = history_of(identify("u1", "a1"), identify("u2", "a1"))
    assert generic_in(made) == {"anonymous_id:a1": "values"}
    assert people_of(made) == [{"user_id:u1"}, {"user_id:u2"}]
    assert set(refusals_of(made).values()) == {"generic"}


def test_a_generic_identifier_has_a_profile_of_its_own_that_is_no_person() -> None:
    made = history_of(identify("u1", "a1"), identify("u2", "a1"))
    (own,) = (each for each in made.clusters.values() if each.shared)
    assert (own.members, own.known) == (("anonymous_id:a1",), False)


def test_who_is_met_only_on_what_turned_generic_goes_to_nobody() -> None:
    made = history_of(track("a1", email="e9@x.com"), identify("u1", "a1"), identify("u2", "a1"))
    assert people_of(made) == [{"email:e9@x.com"}, {"user_id:u1"}, {"user_id:u2"}]


def test_verified_users_outweigh_claimed_ones() -> None:
    made = history_of(said("user_id:u1", "email:e@x.com", authority=VERIFIED), said("user_id:u2", "email:e@x.com"))
    assert generic_in(made) == {}
    assert refusals_of(made) == {("email:e@x.com", "user_id:u2"): "unique"}


def test_two_verified_users_make_a_thing_generic() -> None:
    made = history_of(*(said(f"user_id:u{n}", "email:e@x.com", authority=a) for n, a in ((1, VERIFIED), (2, IMPORTED))))
    assert generic_in(made) == {"email:e@x.com": "values"}


def test_one_verified_user_turns_a_generic_thing_back() -> None:
    made = history_of(identify("u1", email="e@x.com"), identify("u2", email="e@x.com"))
    made.receive([said("user_id:u1", "email:e@x.com", at=5, authority=VERIFIED)])
    assert people_of(made) == [{"email:e@x.com", "user_id:u1"}, {"user_id:u2"}]


@pytest.mark.parametrize("partner", ["anonymous_id", "phone"])
def test_more_partners_than_allowed_make_a_thing_generic(partner: str) -> None:
    told = [said("email:e@x.com", f"{partner}:+4917123456{n}") for n in (70, 71, 72)]
    made = history_of(*told, policy=limited("email", 2))
    assert generic_in(made) == {"email:e@x.com": "partners"}
    assert len(people_of(made)) == 3
    assert generic_in(history_of(*told[:2], policy=limited("email", 2))) == {}


def test_a_contact_may_have_any_number_of_partners() -> None:
    made = history_of(*(identify("u1", f"a{n}") for n in range(60)))
    assert len(people_of(made)) == 1


def test_a_contact_of_two_users_is_generic_and_a_user_of_two_contacts_is_not() -> None:
    policy = default_policy().with_namespaces([CRM])
    shared = history_of(said("user_id:u1", "crm:c"), said("user_id:u2", "crm:c"), policy=policy)
    single = history_of(said("user_id:u1", "crm:c1"), said("user_id:u1", "crm:c2", at=2), policy=policy)
    assert generic_in(shared) == {"crm:c": "values"}
    assert people_of(single) == [{"crm:c1", "user_id:u1"}, {"crm:c2"}]


# Derived: an address and its hash count as one


def test_an_address_and_its_hash_are_one_person() -> None:
    made = history_of(track("a1", email="e@x.com"), said(HASH, "anonymous_id:a2"))
    assert people_of(made) == [{"anonymous_id:a1", "anonymous_id:a2", "email:e@x.com", HASH}]


def test_an_address_and_its_hash_used_by_two_users_are_both_generic() -> None:
    made = history_of(identify("u1", email="e@x.com"), said("user_id:u2", HASH))
    assert generic_in(made).keys() == {"email:e@x.com", HASH}


def test_an_address_and_its_hash_are_one_partner() -> None:
    made = history_of(
        said("anonymous_id:a1", "email:e@x.com"), said("anonymous_id:a1", HASH), policy=limited("anonymous_id", 1)
    )
    assert generic_in(made) == {}


# Unique: one value per person; the stronger link wins


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (said("user_id:u1", "anonymous_id:a", at=1), said("crm:c", "anonymous_id:a", at=0)),
        (said("user_id:u1", "anonymous_id:a", at=9, authority=VERIFIED), said("user_id:u2", "anonymous_id:a", at=1)),
    ],
)
def test_authority_and_priority_come_before_time(stronger: Message, weaker: Message) -> None:
    tie = said("user_id:u2", "crm:c", at=0)
    for order in ((stronger, weaker, tie), (tie, weaker, stronger)):
        made = history_of(*order, policy=default_policy().with_namespaces([replace(CRM, generic_above=None)]))
        assert {"user_id:u1", "anonymous_id:a"} <= set().union(
            *(each for each in people_of(made) if "user_id:u1" in each)
        )


def two_chains(first: float | None, second: float | None) -> list[set[str]]:
    """a is tied to b1 of u1 and to b2 of u2, by links equal in all but their times."""
    chains = [identify("u1", "b1"), identify("u2", "b2")]
    ties = [
        message(MessageKind.TRACK, [("anonymous_id", "a"), ("anonymous_id", b)], at=at)
        for b, at in (("b1", first), ("b2", second))
    ]
    return people_of(history_of(*chains, *ties))


def test_of_equal_links_the_earlier_one_wins() -> None:
    assert {"user_id:u1", "anonymous_id:b1", "anonymous_id:a"} in two_chains(3.0, 5.0)
    assert {"user_id:u2", "anonymous_id:b2", "anonymous_id:a"} in two_chains(5.0, 3.0)


def test_a_sure_time_wins_over_an_unsure_one() -> None:
    assert {"user_id:u2", "anonymous_id:b2", "anonymous_id:a"} in two_chains(None, 5.0)


def test_two_unsure_times_leave_it_to_the_keys() -> None:
    assert {"user_id:u1", "anonymous_id:b1", "anonymous_id:a"} in two_chains(None, None)


# Different, same, override


def test_two_who_stand_as_different_are_not_joined_over_any_path() -> None:
    made = history_of(identify("u1", "a1"), track("a1", email="e@x.com"))
    made.decide(act(ActKind.DIFFERENT, "email:e@x.com", "user_id:u1", at=1))
    assert people_of(made) == [{"anonymous_id:a1", "user_id:u1"}, {"email:e@x.com"}]
    assert refusals_of(made) == {("anonymous_id:a1", "email:e@x.com"): "different"}


def test_a_link_of_a_pair_that_stands_as_different_makes_nothing_generic() -> None:
    made = history_of(
        identify("u1", "a1"), identify("u2", "a1"), act(ActKind.DIFFERENT, "anonymous_id:a1", "user_id:u2", at=1)
    )
    assert people_of(made) == [{"anonymous_id:a1", "user_id:u1"}, {"user_id:u2"}]


def test_a_later_act_replaces_an_earlier_one_of_its_pair() -> None:
    made = history_of(identify("u1"), track("a1"), act(ActKind.SAME, "user_id:u1", "anonymous_id:a1", at=1))
    assert len(people_of(made)) == 1
    made.decide(act(ActKind.DIFFERENT, "anonymous_id:a1", "user_id:u1", at=2))
    assert len(people_of(made)) == 2


def test_of_two_acts_at_one_moment_the_larger_id_stands() -> None:
    kinds = [
        act(kind, "user_id:u1", "anonymous_id:a1", at=1, id=id_)
        for kind, id_ in ((ActKind.SAME, "2"), (ActKind.DIFFERENT, "1"))
    ]
    assert standing_of(kinds) == standing_of(reversed(kinds))
    assert standing_of(kinds).different == frozenset()


def test_a_manual_act_does_not_join_two_users() -> None:
    made = history_of(identify("u1"), identify("u2"), act(ActKind.SAME, "user_id:u1", "user_id:u2", at=1))
    assert refusals_of(made) == {("user_id:u1", "user_id:u2"): "unique"}


def test_an_override_makes_two_users_one_and_what_they_share_theirs() -> None:
    made = history_of(
        identify("u1", "a1"), identify("u2", "a1"), act(ActKind.OVERRIDE, "user_id:u1", "user_id:u2", at=1)
    )
    assert people_of(made) == [{"anonymous_id:a1", "user_id:u1", "user_id:u2"}]
    assert generic_in(made) == {}


def test_the_head_of_overrides_is_what_the_latest_names() -> None:
    acts = [
        act(ActKind.OVERRIDE, one, other, at=at)
        for one, other, at in (("user_id:u2", "user_id:u3", 2), ("user_id:u1", "user_id:u2", 1))
    ]
    assert standing_of(acts).heads == {"user_id:u1": "user_id:u3", "user_id:u2": "user_id:u3"}


def test_an_override_far_along_a_chain_turns_what_its_ends_share() -> None:
    """a1 is shared by u1 and u4, who become one value by an act that names neither of them."""
    users = [identify(f"u{n}") for n in range(1, 5)]
    ends = [act(ActKind.OVERRIDE, f"user_id:u{n}", f"user_id:u{n + 1}", at=n) for n in (1, 3)]
    made = history_of(*users, identify("u1", "a1"), identify("u4", "a1"), *ends)
    assert generic_in(made) == {"anonymous_id:a1": "values"}
    made.decide(act(ActKind.OVERRIDE, "user_id:u2", "user_id:u3", at=2))
    assert generic_in(made) == {}
    assert len(people_of(made)) == 1


def test_values_are_tied_over_any_number_of_overrides() -> None:
    acts = [
        act(ActKind.OVERRIDE, "user_id:u1", "user_id:u2", at=1),
        act(ActKind.OVERRIDE, "user_id:u2", "user_id:u3", at=1),
    ]
    acts.append(act(ActKind.SAME, "user_id:u3", "user_id:u9", at=1))
    assert one_value_with([IdentifierKey("user_id:u1")], acts) == {"user_id:u1", "user_id:u2", "user_id:u3"}


def test_an_act_about_an_identifier_that_is_gone_joins_nobody() -> None:
    made = history_of(identify("u1"), act(ActKind.SAME, "user_id:u1", "anonymous_id:gone", at=1))
    evidence = Evidence({key: each for key, each in made.identifiers.items() if key == "user_id:u1"}, (), made.acts)
    assert [each.members for each in stitch(evidence, made.policy).clusters.values()] == [("user_id:u1",)]


# Size


def test_a_person_does_not_grow_past_the_limit() -> None:
    made = history_of(
        *(identify("u1", f"a{n}", at=n) for n in range(4)), policy=replace(default_policy(), profile_limit=3)
    )
    assert {"anonymous_id:a0", "anonymous_id:a1", "user_id:u1"} in people_of(made)
    assert set(refusals_of(made).values()) == {"size"}


# Aliases


def test_an_alias_moves_to_the_user_id_that_appears_later() -> None:
    made = history_of(alias("x", on="a1", at=1))
    assert people_of(made) == [{"anonymous_id:a1", "anonymous_id:x"}]
    made.receive([identify("x", at=2)])
    assert people_of(made) == [{"anonymous_id:a1", "user_id:x"}]


# Anchors: contacts first, then the earliest minted, then key


def test_the_id_is_the_oldest_mint_of_a_contact() -> None:
    made = history_of(track("a1"), identify("u1", "a1"), track("a0", user="u1"))
    assert id_of(made, "anonymous_id:a0") == "user_id:u1"


def test_without_a_contact_the_id_is_the_oldest_mint() -> None:
    made = history_of(
        track("a2"), track("a1"), message(MessageKind.TRACK, [("anonymous_id", "a1"), ("anonymous_id", "a2")])
    )
    assert id_of(made, "anonymous_id:a1") == "anonymous_id:a2"


def test_late_data_does_not_change_the_id_of_a_known_person() -> None:
    made = history_of(identify("u1", "a1", at=9))
    before = made.profile_of[IdentifierKey("user_id:u1")]
    made.receive([identify("u1", "a0", email="e@x.com", at=1)])
    assert made.profile_of[IdentifierKey("anonymous_id:a0")] == before


@pytest.mark.parametrize(
    ("first", "known"), [(track("a1"), False), (track(email="e@x.com"), True), (identify("u1"), True)]
)
def test_a_person_is_known_by_anything_but_a_device(first: Message, known: bool) -> None:
    assert [each.known for each in history_of(first).clusters.values()] == [known]


# What acts and aliases come to

AT = micros(after(3))
U1, U2 = IdentifierKey("user_id:u1"), IdentifierKey("user_id:u2")


def test_a_manual_link_says_what_its_act_says() -> None:
    (link,) = standing_of([act(ActKind.SAME, "user_id:u2", "user_id:u1", at=3, id="x")]).manual
    said_by = SourceName("manual"), MessageId("manual:x")
    assert link == Link(U1, U2, Kind.MANUAL, Authority.MANUAL, AT, True, AT, 1, *said_by)


def test_what_an_alias_replaces_is_told_at_its_sure_time_and_of_an_unsure_one_before_all() -> None:
    policy = replace(default_policy(), kinds={"alias": KindRules(overrides_from=Authority.CLAIMED)})
    said_by = SourceName("web"), MessageId("web:1")
    sure = Link(U1, U2, Kind.ALIAS, Authority.CLAIMED, AT, True, AT, 1, *said_by, previous="u1")
    one, other = overrides_said([sure, replace(sure, previous="u2", sure=False)], policy)
    assert one == Act(ActId("alias:user_id:u1:user_id:u2"), ActKind.OVERRIDE, U1, U2, AT, "web", manual=False)
    assert (other.id, other.at, other.a, other.b) == ("alias:user_id:u2:user_id:u1", 0, U2, U1)
    assert standing_of([one, other]).heads == {U1: U2}


WITH_CRM = default_policy().with_namespaces([CRM])
C1, C2, C3 = (("crm", f"c{number}") for number in range(1, 4))


def test_who_a_source_merged_is_one_person_whose_present_value_is_the_last_one() -> None:
    made = History(WITH_CRM, partial(next, minting()))
    made.receive([message(MessageKind.IDENTIFY, [each], at=0.0) for each in (C1, C2, C3)])
    made.receive([merged([C1], C2, at=1.0), merged([C2], C3, at=2.0)])
    assert people_of(made) == [{"crm:c1", "crm:c2", "crm:c3"}]
    heads = standing_of(overrides_said(made.links.values(), made.policy)).heads
    assert {key: heads[key] for key in heads} == {"crm:c1": "crm:c3", "crm:c2": "crm:c3"}


def test_a_merge_that_is_told_before_its_records_waits_for_them() -> None:
    made = History(WITH_CRM, partial(next, minting()))
    made.receive([merged([C1], C2, at=1.0, traits={"name": "Ada"})])
    made.receive([message(MessageKind.IDENTIFY, [each, ("email", "a@x.com")], at=0.0) for each in (C1, C2)])
    assert people_of(made) == [{"crm:c1", "crm:c2", "email:a@x.com"}]
    assert [key for key, said in made.observations.items() if said] == ["crm:c2"]


def test_a_merge_is_believed_of_imported_records_alone() -> None:
    made = History(WITH_CRM, partial(next, minting()))
    made.receive([merged([C1], C2, at=1.0, authority=Authority.VERIFIED)])
    assert people_of(made) == [{"crm:c1"}, {"crm:c2"}]
    assert [*made.verdicts.values()] == [Reason.UNIQUE]


def test_who_decided_that_two_are_different_outranks_the_source() -> None:
    made = History(WITH_CRM, partial(next, minting()))
    made.receive([merged([C1], C2, at=5.0)])
    made.decide(act(ActKind.DIFFERENT, "crm:c1", "crm:c2", at=1))
    assert people_of(made) == [{"crm:c1"}, {"crm:c2"}]


def test_a_retired_user_id_is_an_ordinary_one() -> None:
    heard = hear(merged([("user_id", "u1")], ("user_id", "u2")), WITH_CRM)
    assert ([each.code for each in heard.warnings], heard.links) == (["two_values_unique"], ())


# What sets remember of each other when they become one


def test_who_is_different_from_one_of_two_stays_so_from_both_once_they_are_one() -> None:
    made = history_of(
        said("anonymous_id:c1", "anonymous_id:c2", at=1),
        said("anonymous_id:c2", "anonymous_id:c3", at=2),
        said("anonymous_id:a", "anonymous_id:b", at=3),
        said("anonymous_id:d", at=3),
        act(ActKind.DIFFERENT, "anonymous_id:a", "anonymous_id:c1", at=9),
        act(ActKind.DIFFERENT, "anonymous_id:b", "anonymous_id:d", at=9),
        said("anonymous_id:b", "anonymous_id:c3", at=4),
    )
    assert {"anonymous_id:a", "anonymous_id:b"} in people_of(made)


def test_limits_that_keep_apart_are_counted_for_each_namespace() -> None:
    apart = {
        name: replace(default_policy().namespaces[name], active=2, active_days=None, over_active=OverActive.APART)
        for name in ("email", "device_id")
    }
    policy = replace(default_policy(), namespaces={**default_policy().namespaces, **apart})
    told = [
        said("user_id:u1", "device_id:d1"),
        said("user_id:u1", "anonymous_id:a1"),
        said("email:e1@x.com", "anonymous_id:a1"),
        said("email:e2@x.com", "anonymous_id:a1"),
    ]
    assert len(people_of(history_of(*told, policy=policy))) == 1
