"""What was decided of a value holds for what that value is under another policy, and comes home with the first one."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.carrying import Decided, Heirs, carried, ends_of, normal
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
    st.integers(0),
    st.lists(st.sampled_from([Normaliser.EMAIL, Normaliser.EMAIL_FOLDED, Normaliser.TEXT]), max_size=3),
)
def test_an_act_comes_home_when_the_policy_of_its_decision_is_in_force_again(
    raw: tuple[str, ...], one: int, other: int, between: list[Normaliser]
) -> None:
    ends = ["user_id:u1", *(key(each, with_normaliser(Normaliser.EMAIL)) for each in raw)]
    first = decided(act(ActKind.DIFFERENT, ends[one % len(ends)], ends[other % len(ends)], at=1))
    found, way = first, [Normaliser.EMAIL, *between, Normaliser.EMAIL]
    for old, new in pairwise(way):
        found = carried(found, heard(raw, old, new))
        assert {found[0].act.a, found[0].act.b} <= set(heard(raw, old, new).there)
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


def test_an_end_that_is_still_there_stays_where_nothing_that_was_decided_of_is_an_heir() -> None:
    u1, lee, dotted, ann = (
        IdentifierKey(each) for each in ("user_id:u1", "email:lee@gmail.com", "email:l.ee@gmail.com", "email:ann@x.com")
    )
    moved = Decided(act(ActKind.SAME, u1, lee, at=1), u1, dotted)
    for heirs in (
        Heirs({lee: {ann}}, {u1, lee, ann}, default_policy()),
        Heirs({}, {u1, lee, dotted}, default_policy()),
    ):
        assert carried([moved], heirs) == (moved,)


def test_of_several_heirs_that_were_not_decided_of_the_first_has_it() -> None:
    said = decided(act(ActKind.SAME, "user_id:u1", "email:old@x.com", at=1))
    heirs = Heirs(
        {IdentifierKey("email:old@x.com"): {IdentifierKey("email:c"), IdentifierKey("email:b")}}, (), default_policy()
    )
    (found,) = carried(said, heirs)
    assert (found.act.b, found.said_b) == ("email:b", "email:old@x.com")


DOTTED, LEE = "email:l.ee@gmail.com", "email:lee@gmail.com"
MADE = act(ActKind.DIFFERENT, "user_id:u1", DOTTED, at=1, id="made")
UNFOLDED = heard(("l.ee@gmail.com", "lee@gmail.com"), Normaliser.EMAIL_FOLDED, Normaliser.EMAIL)


def ends_carried(undo: Act) -> tuple[IdentifierKey, IdentifierKey]:
    """Where an undo goes when addresses are no longer folded; it may take back MADE, which was folded before."""
    (folded,) = carried(decided(MADE), heard(("l.ee@gmail.com",), Normaliser.EMAIL, Normaliser.EMAIL_FOLDED))
    found = carried([folded, *decided(undo)], UNFOLDED)[1]
    return found.act.a, found.act.b


@pytest.mark.parametrize(
    ("undo", "ends"),
    [
        (act(ActKind.UNDO, "user_id:u1", LEE, at=2, undoes="made"), ("user_id:u1", DOTTED)),
        (act(ActKind.UNDO, LEE, "user_id:u1", at=2, undoes="made"), (DOTTED, "user_id:u1")),
        (act(ActKind.UNDO, "user_id:u2", LEE, at=2, undoes="made"), ("user_id:u2", LEE)),
        (act(ActKind.UNDO, "user_id:u1", LEE, at=1, undoes="made"), ("user_id:u1", LEE)),
        (act(ActKind.UNDO, "user_id:u1", LEE, at=2, undoes="another"), ("user_id:u1", LEE)),
    ],
    ids=["as it was named", "the other way round", "of another pair", "not after it", "of one that is not there"],
)
def test_only_an_undo_of_the_same_pair_goes_where_an_earlier_act_goes(undo: Act, ends: tuple[str, str]) -> None:
    assert ends_carried(undo) == ends


def test_a_key_is_written_as_the_policy_writes_its_value_and_stays_where_that_names_nobody() -> None:
    folded = with_normaliser(Normaliser.EMAIL_FOLDED)
    assert normal(IdentifierKey(DOTTED), folded) == LEE
    assert normal(IdentifierKey("email:nobody"), folded) == "email:nobody"


def test_asked_for_are_the_ends_and_what_they_were_named_at_the_decision_as_it_was_and_is_written() -> None:
    u1, u2, dotted = IdentifierKey("user_id:u1"), IdentifierKey("user_id:u2"), IdentifierKey("email:l.e.e@gmail.com")
    moved = Decided(act(ActKind.SAME, "email:ann@x.com", u1, at=1), dotted, u2)
    assert ends_of([moved], with_normaliser(Normaliser.EMAIL_FOLDED)) == {"email:ann@x.com", u1, u2, dotted, LEE}
    assert ends_of([], default_policy()) == set()
