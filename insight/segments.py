"""The language of segments, and its meaning on one person.

A definition joins conditions by all, any and not. A condition looks at one trait that the policy names, or at the
number of interactions in a window of time. Every condition is true or false of every person, never unknown: a
comparison with a trait that is missing, or of another type than the value asked for, is false, and `not_equals` true.
Text is compared as it is, with its case; numbers compare with numbers, texts with texts by their UTF-16 code
units (as in Java and JavaScript), and a truth value equals only a truth value.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

import msgspec

MICROS_PER_DAY = 86_400_000_000
MOST_CONDITIONS = 100
DEEPEST = 10
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1

Scalar = str | int | float | bool


class Comparison(StrEnum):
    """What a condition asks of a trait."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"
    LESS = "less"
    GREATER = "greater"
    IN = "in"


class Recent(msgspec.Struct, frozen=True, tag_field="kind", tag="recent"):
    """The last so many days before now, now included."""

    days: int


class Between(msgspec.Struct, frozen=True, tag_field="kind", tag="between"):
    """From one moment to another in µs, both included; None is open."""

    start: int | None = None
    end: int | None = None


Window = Recent | Between


class TraitIs(msgspec.Struct, frozen=True, tag_field="kind", tag="trait"):
    """A comparison of one trait. value: a list for `in`, whether it must be there for `exists`."""

    name: str
    how: Comparison
    value: Scalar | tuple[Scalar, ...]


class Counted(msgspec.Struct, frozen=True, tag_field="kind", tag="interactions"):
    """How many interactions of a type and a name there are in a window; None asks for any type, any name, no limit."""

    window: Window
    type: str | None = None
    name: str | None = None
    at_least: int | None = None
    at_most: int | None = None


class All(msgspec.Struct, frozen=True, tag_field="kind", tag="all"):
    """Every one of the parts is true; of no parts, too."""

    of: tuple["Definition", ...]


class Some(msgspec.Struct, frozen=True, tag_field="kind", tag="any"):
    """At least one of the parts is true."""

    of: tuple["Definition", ...]


class Not(msgspec.Struct, frozen=True, tag_field="kind", tag="not"):
    """The part is false."""

    of: "Definition"


Definition = All | Some | Not | TraitIs | Counted
DECODER: msgspec.json.Decoder[Definition] = msgspec.json.Decoder(Definition)


@dataclass(frozen=True, slots=True)
class Happening:
    """What a condition looks at in one interaction. at: the shown moment in µs."""

    at: int
    type: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """What a definition looks at in one profile: its named traits as they are shown, and its interactions."""

    traits: Mapping[str, Scalar]
    interactions: Sequence[Happening] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a definition cannot be used: a stable code, the place in it (`all[1].trait`) and one sentence."""

    code: str
    place: str
    sentence: str


def definition_from_json(text: str) -> Definition:
    """The definition that `definition_as_json` wrote. Raises msgspec.ValidationError for anything else."""
    return DECODER.decode(text)


def definition_as_json(definition: Definition) -> str:
    """A definition as a JSON text; the same text for the same definition."""
    return msgspec.json.encode(definition).decode()


def matches(definition: Definition, person: Person, now: int) -> bool:
    """Whether a definition is true of a person at a moment (µs). The meaning that compiled segments must have."""
    match definition:
        case All():
            return all(matches(part, person, now) for part in definition.of)
        case Some():
            return any(matches(part, person, now) for part in definition.of)
        case Not():
            return not matches(definition.of, person, now)
        case TraitIs():
            return _trait_is(definition, person.traits.get(definition.name))
        case Counted():
            return _counted(definition, person.interactions, now)
        case _:
            assert_never(definition)


def moves_with_time(definition: Definition) -> bool:
    """Whether a definition can become true or false of somebody who does nothing, since it looks at the last days."""
    match definition:
        case All() | Some():
            return any(map(moves_with_time, definition.of))
        case Not():
            return moves_with_time(definition.of)
        case TraitIs():
            return False
        case Counted():
            return isinstance(definition.window, Recent)
        case _:
            assert_never(definition)


def bounds(window: Window, now: int) -> tuple[int, int]:
    """The first and the last moment of a window in µs, both in it."""
    match window:
        case Recent():
            return now - window.days * MICROS_PER_DAY, now
        case Between():
            start = SMALLEST_INTEGER if window.start is None else window.start
            return start, LARGEST_INTEGER if window.end is None else window.end
        case _:
            assert_never(window)


def _counted(condition: Counted, interactions: Sequence[Happening], now: int) -> bool:
    start, end = bounds(condition.window, now)
    count = sum(
        start <= each.at <= end and condition.type in {None, each.type} and condition.name in {None, each.name}
        for each in interactions
    )
    return (condition.at_least or 0) <= count and (condition.at_most is None or count <= condition.at_most)


def _trait_is(condition: TraitIs, found: Scalar | None) -> bool:
    if condition.how is Comparison.EXISTS:
        return (found is not None) is condition.value
    if condition.how is Comparison.NOT_EQUALS:
        return found is None or not same(found, condition.value)
    return found is not None and MEANING[condition.how](found, condition.value)


def same(one: Scalar, other: Scalar | tuple[Scalar, ...]) -> bool:
    """Equality that keeps truth values apart from numbers."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _less(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.encode("utf-16-be") < other.encode("utf-16-be")
    return _is_number(one) and _is_number(other) and one < other  # type: ignore[operator]  # both are numbers here


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_test(test: Callable[[str, str], bool]) -> Callable[[Scalar, Scalar], bool]:
    return lambda one, other: isinstance(one, str) and isinstance(other, str) and test(one, other)


MEANING: Mapping[Comparison, Callable[..., bool]] = {
    Comparison.EQUALS: same,
    Comparison.CONTAINS: _text_test(lambda one, other: other in one),
    Comparison.STARTS_WITH: _text_test(str.startswith),
    Comparison.LESS: _less,
    Comparison.GREATER: lambda one, other: _less(other, one),
    Comparison.IN: lambda one, others: any(same(one, other) for other in others),
}


def problems_of(definition: Definition, named: Collection[str]) -> tuple[Problem, ...]:
    """What keeps a definition from being used, in the order of its parts; nothing when it can be.

    named: the traits that the policy names. A usable definition has at most 100 conditions in at most 10 levels.
    """
    return tuple(_problems(definition, named)) or tuple(_size_problems(definition))


def _problems(definition: Definition, named: Collection[str], place: str = "definition") -> Iterator[Problem]:
    match definition:
        case All() | Some():
            word = "all" if isinstance(definition, All) else "any"
            for number, part in enumerate(definition.of):
                yield from _problems(part, named, f"{place}.{word}[{number}]")
        case Not():
            yield from _problems(definition.of, named, f"{place}.not")
        case TraitIs():
            yield from _trait_problems(definition, named, f"{place}.trait")
        case Counted():
            yield from _count_problems(definition, f"{place}.interactions")
        case _:
            assert_never(definition)


def _trait_problems(condition: TraitIs, named: Collection[str], place: str) -> Iterator[Problem]:
    if condition.name not in named:
        names = ", ".join(sorted(named))
        yield Problem("unknown_trait", place, f"the policy names no trait `{condition.name}`; it names {names}")
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if any(isinstance(each, int) and not SMALLEST_INTEGER <= each <= LARGEST_INTEGER for each in values):
        yield Problem("out_of_range", place, "an integer has at most 64 bits")
    expected = EXPECTED[condition.how]
    if expected.fits(condition.value) is False:
        yield Problem("wrong_type", place, f"`{condition.how}` needs {expected.sentence}")


@dataclass(frozen=True, slots=True)
class _Expected:
    fits: Callable[[object], bool]
    sentence: str


_SCALAR = _Expected(lambda value: not isinstance(value, tuple), "a text, a number or a truth value")
_TEXT = _Expected(lambda value: isinstance(value, str), "a text")
_ORDERED = _Expected(lambda value: isinstance(value, str) or _is_number(value), "a text or a number")
EXPECTED: Mapping[Comparison, _Expected] = {
    Comparison.EQUALS: _SCALAR,
    Comparison.NOT_EQUALS: _SCALAR,
    Comparison.CONTAINS: _TEXT,
    Comparison.STARTS_WITH: _TEXT,
    Comparison.EXISTS: _Expected(lambda value: isinstance(value, bool), "true or false"),
    Comparison.LESS: _ORDERED,
    Comparison.GREATER: _ORDERED,
    Comparison.IN: _Expected(lambda value: isinstance(value, tuple), "a list"),
}


def _count_problems(condition: Counted, place: str) -> Iterator[Problem]:
    limits = [each for each in (condition.at_least, condition.at_most) if each is not None]
    if not limits:
        yield Problem("no_limit", place, "say how many: at least, at most, or both")
    if any(each < 0 or each > LARGEST_INTEGER for each in limits):
        yield Problem("out_of_range", place, "a number of interactions is not negative")
    if isinstance(condition.window, Recent) and not 0 < condition.window.days <= 36_500:
        yield Problem("out_of_range", place, "a window has 1 to 36,500 days")


def _size_problems(definition: Definition) -> Iterator[Problem]:
    depth, conditions = _size(definition)
    if depth > DEEPEST:
        yield Problem("too_deep", "definition", f"a definition has at most {DEEPEST} levels, this one has {depth}")
    if conditions > MOST_CONDITIONS:
        yield Problem(
            "too_large",
            "definition",
            f"a definition has at most {MOST_CONDITIONS} conditions, not {conditions}",
        )


def _size(definition: Definition) -> tuple[int, int]:
    match definition:
        case All() | Some():
            sizes = [_size(part) for part in definition.of]
            return 1 + max((depth for depth, _ in sizes), default=0), sum(count for _, count in sizes)
        case Not():
            depth, count = _size(definition.of)
            return 1 + depth, count
        case _:
            return 1, 1
