"""The shape of records: their columns, what kind of values stands in each, and how two files of one source differ.

The first 1,000 records are looked at, so that what changed is known before anything is written. A kind is a word that
every value of the column allows; a column that is empty so far says nothing of its kind.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graph.runs import Form
from identity.messages import Json
from loaders.formats.records import Found, Line, Records
from loaders.moments import iso_moment
from loaders.wire import text_of

SEEN = 1_000
COLUMNS_LIMIT = 1_000  # that are kept with a run; JSON can have a name of its own in each record

EMPTY, FLAG, NUMBER, DATE, TIME, LIST, TABLE, TEXT = (
    "empty", "flag", "number", "date", "time", "list", "table", "text",
)  # fmt: skip
NUMERIC = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?\Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d{1,2}:\d\d")
FLAG_WORDS = frozenset({"true", "false", "yes", "no"})


def form_of(records: Records, first: Sequence[Line]) -> Form:
    """How records are written, as the first of them show it."""
    found = [line.content.value for line in first if isinstance(line.content, Found)]
    tables = [each for each in found if isinstance(each, dict)]
    columns = records.columns or tuple(dict.fromkeys(name for each in tables for name in each))[:COLUMNS_LIMIT]
    types = tuple(kind_of(each.get(name) for each in tables) for name in columns)
    return Form(records.format, records.delimiter, tuple(columns), types)


def kind_of(values: Iterable[Json]) -> str:
    """The word for what a column holds: the kind of all its values, `text` where they differ, `empty` without any."""
    kinds = {word_of(each) for each in values} - {EMPTY}
    if len(kinds) == 1:
        return kinds.pop()
    return EMPTY if not kinds else TIME if kinds == {DATE, TIME} else TEXT


def word_of(value: Json) -> str:
    """The kind of one value; a text that reads as a number or a time is one, as in a CSV file all are texts."""
    match value:
        case None:
            return EMPTY
        case bool():
            return FLAG
        case int() | float():
            return NUMBER
        case list():
            return LIST
        case dict():
            return TABLE
        case _:
            return _word_of_text((text_of(value) or "").strip())


def _word_of_text(text: str) -> str:
    if not text:
        return EMPTY
    if text.lower() in FLAG_WORDS:
        return FLAG
    if NUMERIC.match(text):
        return NUMBER
    if DAY.match(text):
        return DATE
    return TIME if MOMENT.match(text) and _is_moment(text) else TEXT


def _is_moment(text: str) -> bool:
    try:
        iso_moment(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed in the columns of a source since its last load. retyped: column, kind before, kind now."""

    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.new or self.missing or self.retyped)

    def sentences(self) -> tuple[str, ...]:
        """For people, one for each kind of change."""
        said = (
            ("new", self.new),
            ("missing", self.missing),
            ("of another kind", tuple(f"{name} ({before} before, {now} now)" for name, before, now in self.retyped)),
        )
        return tuple(f"columns {what}: {', '.join(names)}" for what, names in said if names)


def drift_between(before: Form, now: Form) -> Drift:
    """How the columns of a load differ from those of an earlier one; the order of columns means nothing."""
    old, new = (dict(zip(each.columns, each.types, strict=True)) for each in (before, now))
    return Drift(
        new=tuple(name for name in new if name not in old),
        missing=tuple(name for name in old if name not in new),
        retyped=tuple(
            (name, old[name], kind) for name, kind in new.items() if name in old and _differ(old[name], kind)
        ),
    )


def _differ(before: str, now: str) -> bool:
    return EMPTY not in (before, now) and before != now
