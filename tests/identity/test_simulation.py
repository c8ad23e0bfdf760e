"""What a simulation says of a candidate follows from who is who before and after it, and from nothing else."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from identity.evidence import Act
from identity.messages import Authority, Message
from identity.policy import Normaliser, Policy
from identity.simulation import Simulation
from tests.identity.histories import some_steps
from tests.identity.memory import History
from tests.identity.policies import small_policy, some_policy
from tests.identity.simulating import Members, Tried, tried

SPELLINGS = {"e0@x.com": ("lee@gmail.com", "l.ee@gmail.com", "le.e@gmail.com"), "e1@x.com": ("lee+x@gmail.com",) * 3}


def respelt(step: Message | Act, number: int) -> Message | Act:
    """A step whose addresses are spelt so that policies disagree on them."""
    if isinstance(step, Act):
        return step
    spelt = (replace(each, value=SPELLINGS.get(each.value, (each.value,) * 3)[number % 3]) for each in step.sightings)
    return replace(step, sightings=tuple(spelt))


some_spelt_steps = some_steps.map(lambda steps: [respelt(each, number) for number, each in enumerate(steps)])


some_old = st.sampled_from([small_policy("default"), small_policy("shop"), small_policy("last_login_wins")])


@st.composite
def some_candidate(draw: st.DrawFn) -> Policy:
    """A policy by which some messages say something else: it folds addresses, blocks values, or links fewer."""
    policy = draw(some_policy)
    email = replace(policy.namespaces["email"], normaliser=draw(st.sampled_from(Normaliser)))
    policy = replace(policy, namespaces={**policy.namespaces, "email": email})
    blocked = policy.blocked_values | draw(st.sets(st.sampled_from(["u0", "a1", "e2@x.com", "c0"]), max_size=2))
    return replace(policy, blocked_values=blocked, links_per_message=draw(st.sampled_from([2, 10])))


@st.composite
def some_limits(draw: st.DrawFn, policy: Policy) -> Policy:
    """A policy that hears as another does, and stitches otherwise."""
    namespaces = {
        name: replace(
            each,
            max_partners=draw(st.sampled_from([each.max_partners, 2, 3])),
            generic_above=draw(st.sampled_from([each.generic_above, None, 1])),
        )
        for name, each in policy.namespaces.items()
    }
    authority = draw(st.sampled_from([Authority.CLAIMED, Authority.VERIFIED]))
    rules = replace(policy.kind("cooccur"), minimum_authority=authority)
    limit = draw(st.sampled_from([2, 4, 6, 9]))
    return replace(policy, namespaces=namespaces, kinds={**policy.kinds, "cooccur": rules}, profile_limit=limit)


def people(found: Tried) -> set[tuple[Members, bool]]:
    """Who is who by the policy in force, and who of them is shared."""
    return {(frozenset(each.members), each.shared) for each in found.stored.clusters.values()}


@given(some_spelt_steps, some_candidate())
def test_the_policy_in_force_changes_nothing(steps: list[Message | Act], policy: Policy) -> None:
    found = tried(steps, policy, policy)
    many = sum(not each.shared for each in found.stored.clusters.values())
    assert (found.listed, found.parts.ids, found.parts.profiles) == ([], {}, frozenset())
    assert found.report == Simulation(
        version=policy.version,
        hash=policy.hash,
        heard_anew=False,
        identifiers=len(found.stored.identifiers),
        links=len(found.columns.first),
        people_before=many,
        people_after=many,
        merges=0,
        splits=0,
        largest_merges=(),
        largest_splits=(),
        links_turned=(),
        generic_turned=(),
    )


@given(some_spelt_steps, some_old, some_candidate(), st.sets(st.integers(0, 30), max_size=2))
def test_the_people_listed_are_those_who_have_not_the_identifiers_of_one_profile_and_those_asked_for(
    steps: list[Message | Act], old: Policy, new: Policy, asked: set[int]
) -> None:
    found = tried(steps, old, new)
    also = [key for number, key in enumerate(found.columns.keys) if number in asked]
    left = {key for key in found.columns.keys if key in found.stored.identifiers}
    vanished = [frozenset(each.members) for each in found.stored.clusters.values() if not left & set(each.members)]
    heirs = {found.heirs[key] for members in vanished for key in members if key in found.heirs}
    expected = {
        each.id: frozenset(each.members)
        for each in found.after.values()
        if (frozenset(each.members), each.shared) not in people(found) or {*heirs, *also} & set(each.members)
    }
    again = tried(steps, old, new, also=also)
    named = {again.parts.ids[part]: again.keys(numbers) for part, numbers in again.parts.members.items()}
    assert named == expected
    assert again.report.affected == len(expected)
    gone = {key for key in found.stored.identifiers if key not in left}
    about = gone.union(*expected.values())
    assert again.parts.profiles == {found.stored.profile_of[key] for key in about & found.stored.profile_of.keys()}


@given(some_spelt_steps, some_old, some_candidate())
def test_where_everybody_may_show_something_else_everybody_is_listed(
    steps: list[Message | Act], old: Policy, new: Policy
) -> None:
    found = tried(steps, old, new, whole=True)
    assert found.listed == sorted((frozenset(each.members) for each in found.after.values()), key=sorted)
    assert found.parts.profiles == found.stored.clusters.keys()


@given(some_spelt_steps, some_old, some_candidate())
def test_a_merge_is_a_person_of_several_a_split_a_person_who_becomes_several(
    steps: list[Message | Act], old: Policy, new: Policy
) -> None:
    found = tried(steps, old, new)
    before = {id_: set(each.members) for id_, each in found.stored.clusters.items() if not each.shared}
    after = {id_: set(each.members) for id_, each in found.after.items() if not each.shared}
    known = {key for each in found.after.values() for key in each.members}
    handed = {
        id_: {found.heirs.get(key) for key in each} if not each & known else set() for id_, each in before.items()
    }
    came = {id_: [one for one, its in before.items() if (its | handed[one]) & each] for id_, each in after.items()}
    went = {id_: [one for one, its in after.items() if its & each] for id_, each in before.items()}
    report = found.report
    assert (report.people_before, report.people_after) == (len(before), len(after))
    merges = {(tuple(sorted(some)), (id_,)) for id_, some in came.items() if len(some) > 1}
    splits = {((id_,), tuple(sorted(some))) for id_, some in went.items() if len(some) > 1}
    assert {(each.before, each.after) for each in report.largest_merges} == merges
    assert {(each.before, each.after) for each in report.largest_splits} == splits
    assert (report.merges, report.splits) == (len(merges), len(splits))


@given(some_steps, some_policy, st.data())
def test_going_back_is_the_mirror_image(steps: list[Message | Act], old: Policy, data: st.DataObject) -> None:
    new = data.draw(some_limits(old))
    one, back = tried(steps, old, new), tried(steps, new, old)
    there, again = one.report, back.report
    assert (there.people_before, there.people_after) == (again.people_after, again.people_before)
    assert (there.merges, there.splits) == (again.splits, again.merges)
    merges = {(each.after, each.before) for each in there.largest_merges}
    assert merges == {(each.before, each.after) for each in again.largest_splits}
    turned = {(each.after, each.before, each.count, each.examples) for each in there.links_turned}
    assert turned == {(each.before, each.after, each.count, each.examples) for each in again.links_turned}
    generic = {(each.after, each.before, each.count, each.examples) for each in there.generic_turned}
    assert generic == {(each.before, each.after, each.count, each.examples) for each in again.generic_turned}
    assert set[str]().union(*one.listed) == set[str]().union(*back.listed)
    _counted_once(one, back.stored)


def _counted_once(found: Tried, other: History) -> None:
    """Each link and identifier that stands otherwise in another history is counted, and no other one."""
    links = [found.columns.id_of(number) for number in range(len(found.columns.first))]
    turned = [each for each in links if found.stored.verdicts.get(each) != other.verdicts.get(each)]
    assert sum(each.count for each in found.report.links_turned) == len(turned)
    names = {f"{each.a} - {each.b} ({each.kind.word})" for each in turned}
    assert names.issuperset(example for each in found.report.links_turned for example in each.examples)
    generic = [each for each in found.columns.keys if found.stored.generic.get(each) != other.generic.get(each)]
    assert sum(each.count for each in found.report.generic_turned) == len(generic)
    assert set(generic).issuperset(key for each in found.report.generic_turned for key in each.examples)
