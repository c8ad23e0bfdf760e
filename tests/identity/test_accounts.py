"""Organisations: a hierarchy without cycles, whatever came first, and facts as they were stated last."""

from hypothesis import given
from hypothesis import strategies as st

from identity.accounts import PartOf, Stated, cycles, latest
from identity.messages import Authority

C, V, I = Authority.CLAIMED, Authority.VERIFIED, Authority.IMPORTED  # noqa: E741 -- the column of a table
NAMES = st.sampled_from("abcd")
STATEMENTS = st.lists(st.builds(PartOf, NAMES, NAMES, st.sampled_from([C, I]), st.integers(0, 3)), max_size=12)
STATED = st.dictionaries(NAMES, st.builds(Stated, st.integers(0, 3), st.integers(0, 3), st.sampled_from(["m1", "m2"])))


def test_a_tree_is_accepted() -> None:
    assert cycles([PartOf("de", "eu", C, 1), PartOf("eu", "all", C, 2), PartOf("fr", "eu", C, 3)]) == frozenset()


def test_an_account_may_have_two_parents() -> None:
    assert (
        cycles([PartOf("a", "b", C, 1), PartOf("a", "c", C, 1), PartOf("b", "d", C, 1), PartOf("c", "d", C, 1)])
        == set()
    )


def test_nothing_is_part_of_itself() -> None:
    assert cycles([PartOf("a", "a", I, 1)]) == {("a", "a")}


def test_the_later_of_two_opposite_statements_is_refused() -> None:
    assert cycles([PartOf("a", "b", C, 2), PartOf("b", "a", C, 1)]) == {("a", "b")}


def test_the_weaker_of_two_opposite_statements_is_refused_though_it_came_first() -> None:
    assert cycles([PartOf("a", "b", C, 1), PartOf("b", "a", I, 2)]) == {("a", "b")}


def test_a_long_cycle_loses_its_weakest_statement() -> None:
    assert cycles([PartOf("a", "b", V, 3), PartOf("b", "c", C, 1), PartOf("c", "a", V, 2)]) == {("b", "c")}


def test_at_one_moment_the_keys_decide() -> None:
    assert cycles([PartOf("b", "a", C, 1), PartOf("a", "b", C, 1)]) == {("b", "a")}


@given(st.data(), STATEMENTS)
def test_any_order_refuses_the_same(data: st.DataObject, statements: list[PartOf]) -> None:
    assert cycles(statements) == cycles(data.draw(st.permutations(statements)))


@given(STATEMENTS)
def test_what_is_accepted_has_no_cycle_and_each_refusal_would_close_one(statements: list[PartOf]) -> None:
    refused = cycles(statements)
    kept = {(each.child, each.parent) for each in statements} - refused
    assert not any(reaches(kept, parent, child) for child, parent in kept)
    assert all(child == parent or reaches(kept, parent, child) for child, parent in refused)


def reaches(edges: set[tuple[str, str]], start: str, wanted: str) -> bool:
    found = {start}
    while more := {parent for child, parent in edges if child in found} - found:
        found |= more
    return wanted in found


def test_a_later_statement_of_a_fact_stands() -> None:
    old, new = {"size": Stated(3, 1, "m1")}, {"size": Stated(4, 2, "m0")}
    assert latest(old, new) == latest(new, old) == new


def test_at_one_moment_the_message_id_decides() -> None:
    one, other = {"size": Stated(3, 1, "m1")}, {"size": Stated(4, 1, "m2")}
    assert latest(one, other) == latest(other, one) == other


@given(STATED, STATED)
def test_facts_of_both_sides_are_kept(one: dict[str, Stated], other: dict[str, Stated]) -> None:
    assert latest(one, other).keys() == one.keys() | other.keys()
