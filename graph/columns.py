"""A whole history read into columns, by two readers side by side: what stitching looks at, and what is stored of it.

A million links read as values with fifteen fields each take minutes; as short rows in large pages 10 to 20 s.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import anyio

from graph.acts import act_from
from graph.connection import Reader, Row
from graph.evidence_reading import ALL_ACTS
from graph.links import AUTHORITIES, KINDS
from identity.evidence import Act, LinkId
from identity.identifiers import IdentifierKey, ProfileId
from identity.recomputing import Columns
from identity.simulation import Before
from identity.stitching import Known

PAGE = 25_000

# identifier_key (unique), in the order of keys
MIDDLE = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > ''
WITH i ORDER BY i.key SKIP $half LIMIT 1
RETURN i.key AS key
"""

# a count that the store keeps
COUNT_IDENTIFIERS = """
MATCH (i:Identifier)
RETURN count(i) AS many
"""

# identifier_key (unique), in the order of keys
IDENTIFIERS = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after AND i.key <= $until
WITH i ORDER BY i.key LIMIT $page
OPTIONAL MATCH (i)-[:IDENTIFIES]->(p:Profile)
RETURN i.key AS key, i.mint AS mint, i.minted_at AS minted_at, i.generic AS generic, p.id AS profile
ORDER BY key
"""

# identifier_key (unique), in the order of keys, then one expand per identifier
LINKS = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after AND i.key <= $until
MATCH (i)-[l:LINKED]->(other:Identifier)
WHERE l.kind <> 'manual'
RETURN i.key AS a, other.key AS b, l.kind AS kind, l.authority AS authority, l.first_seen AS first_seen,
  l.sure AS sure, CASE WHEN l.accepted IS NULL THEN 'not judged' ELSE l.reason END AS reason, l.previous AS previous
"""


@dataclass(slots=True)
class Read:
    """A whole history, and what is stored of it."""

    columns: Columns = field(default_factory=Columns)
    before: Before = field(default_factory=Before)
    acts: list[Act] = field(default_factory=list)


async def read_history(reader: Reader, gone: Collection[IdentifierKey] = (), untold: Collection[LinkId] = ()) -> Read:
    """Everything that stitching looks at, and how it is stitched now.

    gone: identifiers that are only noted with their profiles. untold: links that are left out.
    """
    found = Read(acts=[act_from(row) for row in await reader.rows(ALL_ACTS)])
    bounds = await _bounds(reader)
    spans: list[tuple[str, str]] = []
    async with anyio.create_task_group() as tasks:
        for after, until in bounds:
            tasks.start_soon(_read_identifiers, reader, (after, until), found, frozenset(gone), spans)
    async with anyio.create_task_group() as tasks:
        for turn in range(len(bounds)):
            tasks.start_soon(_read_links, reader, spans[turn :: len(bounds)], found, frozenset(untold))
    return found


LAST = "\U0010ffff"


async def _bounds(reader: Reader) -> list[tuple[str, str]]:
    """Two halves of all keys, or one whole when there are few."""
    many = (await reader.rows(COUNT_IDENTIFIERS))[0]["many"]
    if many < 2:
        return [("", LAST)]
    middle = (await reader.rows(MIDDLE, half=many // 2))[0]["key"]
    return [("", middle), (middle, LAST)]


async def _read_identifiers(
    reader: Reader, bounds: tuple[str, str], found: Read, gone: frozenset[IdentifierKey], spans: list[tuple[str, str]]
) -> None:
    after, until = bounds
    while rows := await reader.rows(IDENTIFIERS, after=after, until=until, page=PAGE):
        for row in rows:
            _take_identifier(found, row, gone)
        spans.append((after, rows[-1]["key"]))
        after = rows[-1]["key"]


def _take_identifier(found: Read, row: Row, gone: frozenset[IdentifierKey]) -> None:
    key = IdentifierKey(row["key"])
    profile = ProfileId(row["profile"]) if row["profile"] else None
    if key in gone:
        found.before.gone[key] = profile
        if row["generic"]:
            found.before.gone_generic.add(key)
        return
    number = found.columns.add_identifier(Known(key, row["mint"], row["minted_at"]))
    found.before.profiles.append(profile)
    if row["generic"]:
        found.before.generic[number] = row["generic"]


async def _read_links(reader: Reader, spans: Sequence[tuple[str, str]], found: Read, untold: frozenset[LinkId]) -> None:
    columns, reasons = found.columns, found.before.reasons
    numbers = columns.numbers
    for after, until in spans:
        for row in await reader.rows(LINKS, after=after, until=until):
            kind = KINDS[row["kind"]]
            a, b, previous = row["a"], row["b"], row["previous"]
            if a not in numbers or b not in numbers or (untold and LinkId(a, b, kind, previous) in untold):
                continue
            reasons[len(columns.first)] = row["reason"]
            columns.add_row(
                (numbers[a], numbers[b]), kind, AUTHORITIES[row["authority"]], row["first_seen"], row["sure"]
            )
            if previous is not None:
                columns.previous[len(columns.first) - 1] = previous
