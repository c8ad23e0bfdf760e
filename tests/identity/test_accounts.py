"""Organisations: a hierarchy without cycles, whatever came first, and facts as they were stated last."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.accounts import AccountAct, Belonging, PartOf, Stated, cycles, heads_at, heads_of, latest, ranked
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


def acts(*said: str) -> list[AccountAct]:
    """`a=b`: a goes by the name of b; `a!b`: they are different; one after the other."""
    return [
        AccountAct(f"{at}", "=" in each, each[0], each[2], at) for at, each in enumerate(each.strip() for each in said)
    ]


def test_a_chain_of_merges_goes_by_the_last_name() -> None:
    assert heads_of(acts("a=b", "b=c")) == {"a": "c", "b": "c"}


def test_a_counter_act_gives_both_their_names_back() -> None:
    assert heads_of(acts("a=b", "b!a")) == {}


def test_the_same_again_after_a_counter_act_merges_again() -> None:
    assert heads_of(acts("a=b", "b!a", "a=b")) == {"a": "b"}


def test_an_account_is_parted_from_one_it_was_merged_with_over_a_third() -> None:
    assert heads_of(acts("a=b", "b=c", "a!c")) == {"a": "b"}


def test_a_merge_counts_from_the_day_of_its_decision_and_one_that_was_taken_back_never() -> None:
    told = acts("a=b", "b=c", "c=d", "c!d")
    assert [heads_at(told, told[day].at) for day in range(3)] == [
        {"a": "b"},
        {"a": "c", "b": "c"},
        {"a": "c", "b": "c"},
    ]


SAID = st.lists(st.builds(lambda a, sign, b: f"{a}{sign}{b}", NAMES, st.sampled_from("=!"), NAMES), max_size=9)


@given(st.data(), SAID)
def test_the_order_of_arrival_of_acts_does_not_matter(data: st.DataObject, said: list[str]) -> None:
    known = acts(*said)
    assert heads_of(data.draw(st.permutations(known))) == heads_of(known)


@given(SAID)
def test_no_two_that_stand_as_different_are_one_and_a_head_has_none(said: list[str]) -> None:
    known = acts(*said)
    heads = heads_of(known)
    standing = {each.pair: each for each in known}
    for act in standing.values():
        if not act.same and act.account != act.into:
            assert heads.get(act.account, act.account) != heads.get(act.into, act.into)
    assert not heads.keys() & set(heads.values())


@given(SAID, NAMES, NAMES)
def test_a_merge_and_its_counter_act_leave_all_others_as_they_were(said: list[str], a: str, b: str) -> None:
    before = heads_of(acts(*said))
    undone = heads_of(acts(*said, f"{a}={b}", f"{a}!{b}"))
    assert all(undone.get(key) == before.get(key) for key in "abcd") or before.get(a, a) == before.get(b, b)


def test_an_account_is_no_part_of_one_it_is_merged_with() -> None:
    assert cycles([PartOf("a", "b", C, 1), PartOf("b", "c", C, 2)], {"a": "c"}) == {("b", "c")}
    assert cycles([PartOf("a", "b", C, 1)], {"a": "b"}) == {("a", "b")}


def belonging(role: str, last_seen: int, source: str = "web") -> Belonging:
    return Belonging(role, source, None, last_seen, None, "account:a", "user_id:u")


def test_the_highest_role_is_shown_then_what_was_said_last_then_what_nobody_ranks() -> None:
    said = [belonging("viewer", 9), belonging("clerk", 8), belonging("admin", 1), belonging("admin", 2, "crm")]
    shown = [(each.role, each.last_seen) for each in ranked(said, ("owner", "admin", "viewer"))]
    assert shown == [("admin", 2), ("admin", 1), ("viewer", 9), ("clerk", 8)]
    assert ranked(reversed(said), ("owner",)) == ranked(said, ("owner",))


def test_of_roles_that_nobody_ranked_none_comes_first_then_by_their_names() -> None:
    said = [belonging("Aide", 1, "a"), belonging("Buyer", 1, "b"), replace(belonging("", 1, "c"), role=None)]
    assert [each.role for each in ranked(said, ("admin",))] == [None, "Aide", "Buyer"]
    other = [replace(each, source=source) for each, source in zip(said, "cba", strict=True)]
    assert [each.role for each in ranked(other, ("admin",))] == [None, "Aide", "Buyer"]


@pytest.mark.parametrize(
    ("said", "heads"),
    [
        (("a=b", "a=c"), {"a": "c", "b": "c"}),
        (("a=c", "b=c", "c=d"), {"a": "d", "b": "d", "c": "d"}),
        (("a=b", "c=d"), {"a": "b", "c": "d"}),
        (("a=b", "c=a"), {"a": "b", "c": "b"}),
    ],
    ids=["a merged one is merged on", "several are merged on", "two apart", "into a merged one"],
)
def test_all_that_were_merged_go_by_the_name_of_the_last(said: tuple[str, ...], heads: dict[str, str]) -> None:
    assert heads_of(acts(*said)) == heads


def test_a_parent_goes_by_the_name_it_was_merged_into() -> None:
    assert cycles([PartOf("a", "b", C, 1), PartOf("c", "a", C, 2)], {"b": "c"}) == {("c", "a")}


def test_of_what_one_message_says_twice_what_is_known_stands() -> None:
    one, other = {"size": Stated(3, 1, "m1")}, {"size": Stated(4, 1, "m1")}
    assert latest(one, other) == one
