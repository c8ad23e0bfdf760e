import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.segments import (
    MICROS_PER_DAY,
    All,
    Between,
    Comparison,
    Counted,
    Definition,
    Happening,
    Not,
    Person,
    Recent,
    Scalar,
    Some,
    TraitIs,
    definition_as_json,
    definition_from_json,
    matches,
    problems_of,
)
from tests.insight.definitions import DEFINITIONS, HAPPENINGS, NAMES, NOW, TRAITS

PEOPLE = st.builds(Person, TRAITS, HAPPENINGS)
ANNA = Person(
    {"city": "Oslo", "plan": 3, "vip": True},
    [Happening(NOW - days * MICROS_PER_DAY, "track", "Order Completed") for days in (0, 3, 40)],
)


@pytest.mark.parametrize(
    ("name", "how", "value", "expected"),
    [
        ("city", Comparison.EQUALS, "Oslo", True),
        ("city", Comparison.EQUALS, "oslo", False),
        ("city", Comparison.NOT_EQUALS, "Bergen", True),
        ("street", Comparison.NOT_EQUALS, "Bergen", True),
        ("city", Comparison.CONTAINS, "sl", True),
        ("plan", Comparison.CONTAINS, "3", False),
        ("city", Comparison.STARTS_WITH, "Os", True),
        ("city", Comparison.STARTS_WITH, "lo", False),
        ("plan", Comparison.LESS, 3.5, True),
        ("plan", Comparison.LESS, 3, False),
        ("plan", Comparison.LESS, "4", False),
        ("city", Comparison.GREATER, "Bergen", True),
        ("street", Comparison.GREATER, 0, False),
        ("vip", Comparison.GREATER, 0, False),
        ("vip", Comparison.EQUALS, True, True),
        ("vip", Comparison.EQUALS, 1, False),
        ("plan", Comparison.EQUALS, 3.0, True),
        ("plan", Comparison.IN, (1, 3), True),
        ("plan", Comparison.IN, (), False),
        ("street", Comparison.EXISTS, False, True),
        ("city", Comparison.EXISTS, True, True),
    ],
)
def test_a_comparison_means(name: str, how: Comparison, value: Scalar | tuple[Scalar, ...], expected: bool) -> None:
    assert matches(TraitIs(name, how, value), ANNA, NOW) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Counted(Recent(3), at_least=2), True),
        (Counted(Recent(2), at_least=2), False),
        (Counted(Between(), at_least=3, at_most=3), True),
        (Counted(Between(), name="Order Cancelled", at_most=0), True),
        (Counted(Between(), type="page", at_least=1), False),
        (Counted(Between(None, NOW - 3 * MICROS_PER_DAY), at_least=2), True),
        (Counted(Between(NOW + 1, None), at_least=1), False),
    ],
)
def test_a_count_means(condition: Counted, expected: bool) -> None:
    assert matches(condition, ANNA, NOW) is expected


@given(DEFINITIONS, PEOPLE)
def test_not_is_the_other_half_of_everybody(definition: Definition, person: Person) -> None:
    assert matches(Not(definition), person, NOW) is not matches(definition, person, NOW)


@given(st.lists(DEFINITIONS, max_size=3).map(tuple), PEOPLE)
def test_any_is_not_all_not(parts: tuple[Definition, ...], person: Person) -> None:
    none = Not(All(tuple(map(Not, parts))))
    assert matches(Some(parts), person, NOW) is matches(none, person, NOW)


@given(DEFINITIONS)
def test_a_definition_survives_its_json(definition: Definition) -> None:
    assert definition_from_json(definition_as_json(definition)) == definition


@given(DEFINITIONS)
def test_random_definitions_have_no_problem(definition: Definition) -> None:
    assert problems_of(definition, NAMES) == ()


def test_another_text_is_no_definition() -> None:
    with pytest.raises(msgspec.ValidationError):
        definition_from_json('{"kind": "all", "of": [{"kind": "everybody"}]}')


DEEP: Definition = All(())
for _ in range(10):
    DEEP = Not(DEEP)


@pytest.mark.parametrize(
    ("definition", "code", "place"),
    [
        (TraitIs("shoe", Comparison.EQUALS, 1), "unknown_trait", "definition.trait"),
        (Some((Not(TraitIs("city", Comparison.LESS, True)),)), "wrong_type", "definition.any[0].not.trait"),
        (TraitIs("city", Comparison.CONTAINS, 1), "wrong_type", "definition.trait"),
        (TraitIs("city", Comparison.EXISTS, "yes"), "wrong_type", "definition.trait"),
        (TraitIs("city", Comparison.IN, "Oslo"), "wrong_type", "definition.trait"),
        (TraitIs("city", Comparison.EQUALS, 2**63), "out_of_range", "definition.trait"),
        (All((Counted(Recent(1)),)), "no_limit", "definition.all[0].interactions"),
        (Counted(Recent(0), at_least=1), "out_of_range", "definition.interactions"),
        (Counted(Recent(1), at_least=-1), "out_of_range", "definition.interactions"),
        (DEEP, "too_deep", "definition"),
        (All((Counted(Recent(1), at_least=1),) * 101), "too_large", "definition"),
    ],
)
def test_a_problem_names_its_place(definition: Definition, code: str, place: str) -> None:
    found = problems_of(definition, NAMES)
    assert [(each.code, each.place) for each in found] == [(code, place)]
