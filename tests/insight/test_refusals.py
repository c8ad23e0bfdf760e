"""Why two people are not one, and what would make them one: the remedies named do it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from identity.evidence import Act, ActId, ActKind, Kind, Link, Reason
from identity.identifiers import IdentifierKey, namespace_of
from identity.messages import Message
from identity.policy import OverActive, Policy
from identity.stitching import Cluster, Evidence, Generic, Standing, Stitching, standing_of, stitch
from insight.refusals import (
    InTheWay,
    Party,
    RefusedGroup,
    Remedy,
    RemedyKind,
    SharedUse,
    TooMany,
    in_the_way,
    party_of,
    refusals_of,
    remedies_of,
    sentence_of_refusal,
)
from insight.statements import ExplainedLink
from tests.building import act
from tests.identity.histories import some_steps
from tests.identity.test_restitching import fresh, small_policy

JANUARY = 1_767_225_600_000_000
ANN, PHONE, BOB, HOME = map(IdentifierKey, ("user_id:ann", "anonymous_id:a1", "user_id:bob", "email:home@x.com"))
LINK = ExplainedLink(ANN, PHONE, Kind.COOCCUR, "claimed", "web", JANUARY, "web:m1", Reason.UNIQUE)
SHARED = SharedUse(HOME, Generic.VALUES, 3, 7, 1)
ANCHORS = (ANN, BOB)


def party(cluster: Cluster, found: Stitching, policy: Policy) -> Party:
    shared = cluster.members[0] if cluster.shared else None
    return Party(
        anchor=next(iter(cluster.members)),
        size=len(cluster.members),
        values=frozenset(key for key in cluster.members if namespace_of(key) in policy.unique),
        shared=SharedUse(shared, found.generic[shared], 2, 2, 1) if shared else None,
    )


def between(one: Cluster, other: Cluster, evidence: Evidence, found: Stitching, policy: Policy) -> tuple[Remedy, ...]:
    """The remedies for two people of a history, from what was refused directly between them."""
    direct: dict[Reason, list[Link]] = {}
    for link in evidence.links:
        sides = {link.a in one.members, link.b in one.members}, {link.a in other.members, link.b in other.members}
        if link.id in found.refused and sides == ({True, False}, {True, False}):
            direct.setdefault(found.refused[link.id], []).append(link)
    mine, theirs = (party(each, found, policy) for each in (one, other))
    across = [
        each for each in evidence.acts if {each.a, each.b} & {*one.members} and {each.a, each.b} & {*other.members}
    ]
    way = in_the_way(mine, theirs, across, standing_of(evidence.acts), policy)
    anchors = (mine.anchor, theirs.anchor)
    groups = [RefusedGroup(reason, len(links), ()) for reason, links in direct.items()]
    return remedies_of(refusals_of(groups, way, anchors), way, anchors)


def done(remedies: Sequence[Remedy], evidence: Evidence, policy: Policy) -> tuple[Evidence, Policy]:
    """The history and the policy once all remedies are taken."""
    undone = {each.about for each in remedies if each.kind is RemedyKind.UNDO_DECISION}
    acts = [known for known in evidence.acts if known.pair not in undone]
    for number, each in enumerate(remedies):
        match each.kind:
            case RemedyKind.OVERRIDE:
                acts.append(act(ActKind.OVERRIDE, *each.about, at=1_000 + number))
            case RemedyKind.MERGE:
                acts.append(act(ActKind.SAME, *each.about, at=1_000 + number))
            case RemedyKind.RAISE_LIMIT:
                policy = replace(policy, profile_limit=1_000)
    return replace(evidence, acts=acts), policy


def tolerant() -> Policy:
    """The small policy in which nothing turns generic: an act that joins two can turn a third thing."""
    policy = small_policy()
    rules = {name: replace(each, max_partners=None, generic_above=None) for name, each in policy.namespaces.items()}
    return replace(policy, namespaces=rules, external=replace(policy.external, generic_above=None))


@given(some_steps, st.data())
def test_taking_all_remedies_makes_two_people_one(steps: list[Message | Act], data: st.DataObject) -> None:
    history, policy = fresh(), tolerant()
    history.policy = policy
    for step in steps:
        if not isinstance(step, Act):
            history.receive([step])
        elif step.a in history.identifiers and step.b in history.identifiers:
            history.decide(step)
    evidence = history.evidence()
    found = stitch(evidence, policy)
    assume(len(found.clusters) > 1)
    one, other = data.draw(st.permutations(sorted(found.clusters.values(), key=lambda each: each.id)))[:2]
    remedies = between(one, other, evidence, found, policy)
    assert remedies
    after = stitch(*done(remedies, evidence, policy))
    ends = next(
        (each.about for each in remedies if each.kind is not RemedyKind.RAISE_LIMIT), (one.members[0], other.members[0])
    )
    assert any(set(ends) <= set(cluster.members) for cluster in after.clusters.values())


def refused(reason: Reason | None, way: InTheWay, count: int = 1, shared: SharedUse | None = None) -> str:
    """The sentence of one group of refused links."""
    link = replace(LINK, reason=reason)
    (refusal,) = refusals_of([RefusedGroup(reason, count, (link,), shared, over=count > 1)], way, ANCHORS)
    return sentence_of_refusal(refusal)


def test_two_values_are_named() -> None:
    told = refused(Reason.UNIQUE, InTheWay(conflicts=((ANN, BOB),)))
    assert told == (
        "user_id:ann and anonymous_id:a1 came in one message (claimed, from web, first on 2026-01-01), but that does "
        "not join them: one person would have two values of user_id, user_id:ann and user_id:bob, while everybody has "
        "one."
    )


def test_many_links_are_told_once_with_their_number() -> None:
    told = refused(Reason.UNIQUE, InTheWay(conflicts=((ANN, BOB),)), count=41)
    assert ", and 40 more statements like it, but that does not join them" in told
    assert told.count("came in one message") == 1


def test_what_both_use_is_named_with_how_many_use_it() -> None:
    assert refused(Reason.GENERIC, InTheWay(), 2, SHARED) == (
        "Both use email:home@x.com, but that does not join them: email:home@x.com is used by 3 people, while the "
        "policy lets it belong to 1."
    )
    hub = replace(SHARED, why=Generic.PARTNERS, partners=612, limit=500)
    assert "came with 612 others, while the policy allows 500" in refused(Reason.GENERIC, InTheWay(), 2, hub)


def test_who_decided_is_named_with_the_day() -> None:
    decided = Act(ActId("x"), ActKind.DIFFERENT, ANN, BOB, JANUARY, "carla")
    told = refused(Reason.DIFFERENT, InTheWay(decisions=(decided, replace(decided, b=PHONE), replace(decided, a=HOME))))
    assert "carla decided on 2026-01-01 that user_id:ann and user_id:bob are different (and of 2 more pairs)" in told


def test_sizes_are_named_with_the_limit() -> None:
    told = refused(Reason.SIZE, InTheWay(sizes=(600, 1_400), limit=1_000))
    assert "with 600 and 1,400 identifiers they are together above the 1,000 that the policy allows" in told


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.UNIQUE, "two values of something of which everybody has one"),
        (Reason.DIFFERENT, "somebody decided by hand that they are different"),
        (Reason.SIZE, "more identifiers than the policy allows"),
        (Reason.LIMIT, "more identifiers of one namespace than the policy allows"),
        (Reason.UNVERIFIED, "the policy asks for more authority"),
        (Reason.GENERIC, "one of them is shared by several people"),
        (None, "it waits for a recompute"),
    ],
)
def test_a_refusal_has_its_reason_in_words_even_where_what_caused_it_is_gone(reason: Reason | None, words: str) -> None:
    assert words in refused(reason, InTheWay())


def kinds(reason: Reason | None, way: InTheWay, shared: SharedUse | None = None) -> list[RemedyKind]:
    (refusal,) = refusals_of([RefusedGroup(reason, 1, (LINK,), shared)], way, ANCHORS)
    return [each.kind for each in refusal.remedies]


def test_what_lifts_a_refusal_depends_on_its_reason() -> None:
    decided = Act(ActId("x"), ActKind.DIFFERENT, ANN, BOB, JANUARY)
    conflict = InTheWay(conflicts=((ANN, BOB),))
    assert kinds(Reason.UNIQUE, conflict) == [RemedyKind.OVERRIDE]
    assert kinds(Reason.DIFFERENT, InTheWay(decisions=(decided,))) == [RemedyKind.UNDO_DECISION]
    assert kinds(Reason.SIZE, InTheWay(sizes=(600, 600), limit=1_000)) == [RemedyKind.RAISE_LIMIT]
    assert kinds(Reason.LIMIT, InTheWay()) == [RemedyKind.RAISE_LIMIT]
    assert kinds(Reason.LIMIT, InTheWay(limits=(TooMany("email", 2, 1, 2),))) == [RemedyKind.RAISE_LIMIT]
    assert kinds(Reason.UNVERIFIED, InTheWay()) == [RemedyKind.VERIFY]
    assert kinds(None, InTheWay()) == [RemedyKind.WAIT]
    assert kinds(Reason.GENERIC, conflict, SHARED) == [RemedyKind.OVERRIDE]


def test_fewer_uses_help_only_where_nothing_else_stands_in_the_way() -> None:
    free = [RemedyKind.MERGE, RemedyKind.REMOVE_OTHER_USES, RemedyKind.BLOCK_VALUES]
    hub = replace(SHARED, why=Generic.PARTNERS)
    assert kinds(Reason.GENERIC, InTheWay(), SHARED) == free
    assert kinds(Reason.GENERIC, InTheWay(), hub) == free[:2]
    assert kinds(Reason.GENERIC, InTheWay(shared=(SHARED,)), SHARED) == free[1:]


def test_strangers_are_joined_by_hand_and_a_shared_thing_by_nobody() -> None:
    assert [each.kind for each in remedies_of([], InTheWay(), ANCHORS)] == [RemedyKind.MERGE]
    shared = remedies_of([], InTheWay(shared=(SHARED,), conflicts=((ANN, BOB),)), ANCHORS)
    assert [each.kind for each in shared] == [RemedyKind.REMOVE_OTHER_USES]


def test_under_a_larger_limit_two_are_joined_by_hand_as_well() -> None:
    """A third person, whom the limit kept away before, could come between them."""
    way = InTheWay(sizes=(600, 600), limit=1_000)
    refusals = refusals_of([RefusedGroup(Reason.SIZE, 1, ())], way, ANCHORS)
    assert [each.kind for each in remedies_of(refusals, way, ANCHORS)] == [RemedyKind.RAISE_LIMIT, RemedyKind.MERGE]


def test_a_value_that_was_replaced_conflicts_with_nothing() -> None:
    one, other = Party(ANN, 1, frozenset({ANN})), Party(BOB, 1, frozenset({BOB}))
    assert in_the_way(one, other, [], Standing(), small_policy()).conflicts == ((ANN, BOB),)
    assert not in_the_way(one, other, [], Standing(heads={ANN: BOB}), small_policy())


def test_a_limit_of_a_namespace_is_named_with_its_numbers_and_lifted_first() -> None:
    policy = small_policy()
    email = replace(policy.namespaces["email"], active=2, over_active=OverActive.APART)
    policy = replace(policy, namespaces={**policy.namespaces, "email": email})
    one, other = (party_of([IdentifierKey(f"email:{key}") for key in keys], policy) for keys in ("ab", "c"))
    way = in_the_way(one, other, [], Standing(), policy)
    assert "with 2 and 1 identifier of email they are together above the 2" in refused(Reason.LIMIT, way)
    assert [each.kind for each in remedies_of([], way, ANCHORS)] == [RemedyKind.RAISE_LIMIT, RemedyKind.MERGE]
