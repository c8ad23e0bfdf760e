"""What was decided of a value holds for what that value is under another policy, and comes home with the first one."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from identity.carrying import Decided, Heirs, carried
from identity.evidence import Act, ActKind
from identity.identifiers import Identifier, IdentifierKey, normalise
from identity.policy import Normaliser, Policy
from identity.stitching import standing_of
from tests.building import act, default_policy

RAW = ("lee@gmail.com", "l.ee@gmail.com", "Lee@gmail.com", "lee+x@gmail.com", "ann@x.com", "Ann@x.com")


def with_normaliser(normaliser: Normaliser) -> Policy:
    policy = default_policy()
    email = replace(policy.namespaces["email"], normaliser=normaliser)
    return replace(policy, namespaces={**policy.namespaces, "email": email})


def key(raw: str, policy: Policy) -> IdentifierKey:
    read = normalise("email", raw, policy)
    assert isinstance(read, Identifier)
    return read.key


def heard(raw: tuple[str, ...], old: Normaliser, new: Normaliser) -> Heirs:
    before, now = with_normaliser(old), with_normaliser(new)
    of: dict[IdentifierKey, set[IdentifierKey]] = {}
    for each in raw:
        of.setdefault(key(each, before), set()).add(key(each, now))
    return Heirs(of, {"user_id:u1", *(key(each, now) for each in raw)}, now)


def decided(*acts: Act) -> tuple[Decided, ...]:
    return tuple(Decided(each, each.a, each.b) for each in acts)


@given(
    st.lists(st.sampled_from(RAW), min_size=1, unique=True).map(tuple),
    st.integers(0),
    st.lists(st.sampled_from([Normaliser.EMAIL, Normaliser.EMAIL_FOLDED, Normaliser.TEXT]), max_size=3),
)
def test_an_act_comes_home_when_the_policy_of_its_decision_is_in_force_again(
    raw: tuple[str, ...], number: int, between: list[Normaliser]
) -> None:
    end = key(raw[number % len(raw)], with_normaliser(Normaliser.EMAIL))
    first = decided(act(ActKind.DIFFERENT, "user_id:u1", end, at=1))
    found, way = first, [Normaliser.EMAIL, *between, Normaliser.EMAIL]
    for old, new in pairwise(way):
        found = carried(found, heard(raw, old, new))
        assert found[0].act.b in heard(raw, old, new).there
        assert carried(found, heard(raw, old, new)) == found  # killed on the way, it is heard and carried again
    assert found == first


def test_an_end_without_an_heir_waits_and_is_found_when_its_value_is_there_again() -> None:
    first = decided(act(ActKind.SAME, "user_id:u1", "email:l.ee@gmail.com", at=1))
    gone = Heirs({}, {"user_id:u1"}, default_policy())
    assert carried(first, gone) == first
    folded = with_normaliser(Normaliser.EMAIL_FOLDED)
    (found,) = carried(first, Heirs({}, {"user_id:u1", "email:lee@gmail.com"}, folded))
    assert found.act.b == "email:lee@gmail.com"


def test_an_act_whose_ends_become_one_key_is_kept_and_means_nothing() -> None:
    first = decided(act(ActKind.DIFFERENT, "email:l.ee@gmail.com", "email:lee@gmail.com", at=1))
    raw = ("lee@gmail.com", "l.ee@gmail.com")
    (found,) = carried(first, heard(raw, Normaliser.EMAIL, Normaliser.EMAIL_FOLDED))
    assert found.act.a == found.act.b
    assert standing_of([found.act]) == standing_of([])
    assert carried([found], heard(raw, Normaliser.EMAIL_FOLDED, Normaliser.EMAIL)) == first


def test_an_undo_goes_where_the_act_goes_that_it_takes_back() -> None:
    raw = ("l.ee@gmail.com", "lee@gmail.com")
    made = act(ActKind.DIFFERENT, "user_id:u1", "email:l.ee@gmail.com", at=1, id="made")
    (folded,) = carried(decided(made), heard(raw, Normaliser.EMAIL, Normaliser.EMAIL_FOLDED))
    undo = act(ActKind.UNDO, "user_id:u1", "email:lee@gmail.com", at=2, id="undo", undoes="made")
    home = carried([folded, *decided(undo)], heard(raw, Normaliser.EMAIL_FOLDED, Normaliser.EMAIL))
    assert [each.act.b for each in home] == ["email:l.ee@gmail.com"] * 2
    assert not standing_of(each.act for each in home).different
