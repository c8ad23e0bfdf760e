"""Sources: which there are, what they may send by, what of theirs could not be used, and their loads.

The graph holds no row for a source: that would be a lock which all of its messages wait for. A source is known by its
keys, the namespaces that its mappings declare, its loads and its dead letters. When it was heard last is when one of
its keys was used last, to the minute, or a load came on. How much was received over HTTP is not kept by source; the
metrics of the service count it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.connection import Reader, Row
from graph.interactions import EARLIEST, LATEST, TimeOrder
from graph.runs import Run, run_from
from identity.messages import SourceName

MOST_LETTERS = 100_000


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many dead letters of a source have a code, and when the last of them was met, in µs."""

    code: str
    count: int
    last: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the graph knows it. heard_at, loaded_at: when it was last heard, and a load came on, in µs, if ever.

    keys: how many it may send by now. complete: whether all dead letters were counted; 100,000 are, of all sources.
    """

    name: SourceName
    keys: int
    namespaces: tuple[str, ...]
    loads: int
    heard_at: int | None
    loaded_at: int | None
    rejected: tuple[Rejected, ...]
    complete: bool


# Label scans: as many rows as there are keys, namespaces and loads, and 100,000 dead letters at most
SOURCES = """
CALL () {
  MATCH (key:ApiKey)
  WHERE key.source IS NOT NULL
  RETURN key.source AS source,
    {keys: count(CASE WHEN key.revoked_at IS NULL THEN 1 END), used_at: max(key.used_at)} AS said
  UNION ALL
  MATCH (namespace:Namespace)
  WHERE namespace.declared_by IS NOT NULL
  RETURN namespace.declared_by AS source, {namespaces: collect(namespace.name)} AS said
  UNION ALL
  MATCH (run:Run)
  RETURN run.source AS source, {loads: count(*), loaded_at: max(run.updated_at)} AS said
  UNION ALL
  MATCH (letter:DeadLetter)
  WITH letter
  LIMIT $most
  WITH letter.source AS source, letter.code AS code, count(*) AS many, max(letter.at) AS last
  RETURN source, {code: code, count: many, last: last} AS said
}
WITH source, said
WHERE $name IS NULL OR source = $name
WITH source, collect(said) AS said
ORDER BY source
RETURN source, said
"""

# the number of nodes of a label, from the store's own statistics
LETTERS_THERE = "RETURN COUNT { (:DeadLetter) } AS many"


async def sources(reader: Reader, name: SourceName | None = None) -> tuple[Source, ...]:
    """All sources by name, or the one of a name. Two statements. Raises DatabaseAwayError."""
    many = (await reader.rows(LETTERS_THERE))[0]["many"]
    rows = await reader.rows(SOURCES, name=name, most=MOST_LETTERS)
    return tuple(_source(SourceName(row["source"]), row["said"], complete=many <= MOST_LETTERS) for row in rows)


def _source(name: SourceName, said: Sequence[Row], *, complete: bool) -> Source:
    facts = {key: value for each in said if "code" not in each for key, value in each.items()}
    heard = [facts.get("used_at"), facts.get("loaded_at"), *(each["last"] for each in said if "code" in each)]
    rejected = [Rejected(**each) for each in said if "code" in each]
    return Source(
        name=name,
        keys=facts.get("keys", 0),
        namespaces=tuple(sorted(facts.get("namespaces", ()))),
        loads=facts.get("loads", 0),
        heard_at=max((each for each in heard if each is not None), default=None),
        loaded_at=facts.get("loaded_at"),
        rejected=tuple(sorted(rejected, key=lambda each: (-each.count, each.code))),
        complete=complete,
    )


@dataclass(frozen=True, slots=True)
class RunPlace:
    """One page of a source's loads: what comes after a load already shown, given by its start in µs and its id."""

    source: SourceName
    after: tuple[int, str] | None = None


def _runs_of(order: TimeOrder) -> str:
    beyond, way = ("<", " DESC") if order is TimeOrder.NEWEST else (">", "")
    return f"""
UNWIND $asked AS asked
CALL (asked) {{
  MATCH (run:Run)
  USING INDEX SEEK run:Run(source, started_at, id)
  WHERE run.source = asked.source AND run.started_at {beyond}= asked.at AND run.id IS NOT NULL
    AND CASE WHEN run.started_at = asked.at THEN run.id {beyond} asked.id ELSE true END
  RETURN run
  ORDER BY run.source{way}, run.started_at{way}, run.id{way}
  LIMIT $first
}}
RETURN asked.number AS number, collect(run {{.*}}) AS runs
"""


# run_source (source, started_at, id) in its order, once for each source
RUNS_OF = _runs_of(TimeOrder.NEWEST)

# as RUNS_OF
RUNS_OF_OLDEST = _runs_of(TimeOrder.OLDEST)
BEGINNINGS = {TimeOrder.NEWEST: (LATEST, ""), TimeOrder.OLDEST: (EARLIEST, "")}


async def runs_of(
    reader: Reader, asks: Sequence[RunPlace], first: int, order: TimeOrder = TimeOrder.NEWEST
) -> dict[RunPlace, tuple[Run, ...]]:
    """The loads of each source, in their order, at most `first`; without any no entry. One statement.

    Cost: the page. Raises DatabaseAwayError.
    """
    places = [ask.after or BEGINNINGS[order] for ask in asks]
    asked = [
        {"number": number, "source": ask.source, "at": at, "id": id_}
        for number, (ask, (at, id_)) in enumerate(zip(asks, places, strict=True))
    ]
    rows = await reader.rows(RUNS_OF if order is TimeOrder.NEWEST else RUNS_OF_OLDEST, asked=asked, first=first)
    return {asks[row["number"]]: tuple(map(run_from, row["runs"])) for row in rows}
