"""A whole history read into columns, by two readers side by side: what stitching looks at, and what is stored of it.

A million links read as values with fifteen fields each take minutes. Here a page is one row that holds a list for each
column, so nothing is made for a link but its place in the columns.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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
WITH i, head([(i)-[:IDENTIFIES]->(p:Profile) | p.id]) AS profile
ORDER BY i.key
RETURN collect(i.key) AS keys, collect(i.mint) AS mints, collect(i.minted_at) AS minted_at,
  collect(coalesce(i.generic, '')) AS generic, collect(coalesce(profile, '')) AS profiles
"""

# identifier_key (unique), in the order of keys, then one expand per identifier
LINKS = """
MATCH (i:Identifier)
USING INDEX SEEK i:Identifier(key)
WHERE i.key > $after AND i.key <= $until
MATCH (i)-[l:LINKED]->(other:Identifier)
WHERE l.kind <> 'manual'
RETURN collect(i.key) AS first, collect(other.key) AS second, collect(l.kind) AS kinds,
  collect(l.authority) AS authorities, collect(l.first_seen) AS first_seen, collect(l.sure) AS sure,
  collect(CASE WHEN l.accepted IS NULL THEN 'not judged' ELSE coalesce(l.reason, '') END) AS reasons,
  collect(coalesce(l.previous, '')) AS previous
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
    while (page := (await reader.rows(IDENTIFIERS, after=after, until=until, page=PAGE))[0])["keys"]:
        for key, mint, minted_at, generic, profile in _listed(page, IDENTIFIER_COLUMNS):
            _take_identifier(found, Known(key, mint, minted_at), generic, profile, gone)
        last = page["keys"][-1]  # in the order of the index, which need not be Python's
        spans.append((after, last))
        after = last


IDENTIFIER_COLUMNS = ("keys", "mints", "minted_at", "generic", "profiles")
LINK_COLUMNS = ("first", "second", "kinds", "authorities", "first_seen", "sure", "reasons", "previous")


def _listed(page: Row, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(page[name] for name in names), strict=True)


def _take_identifier(found: Read, known: Known, generic: str, profile: str, gone: frozenset[IdentifierKey]) -> None:
    where = ProfileId(profile) if profile else None
    if known.key in gone:
        found.before.gone[known.key] = where
        if generic:
            found.before.gone_generic.add(known.key)
        return
    number = found.columns.add_identifier(known)
    found.before.profiles.append(where)
    if generic:
        found.before.generic[number] = generic


async def _read_links(reader: Reader, spans: Sequence[tuple[str, str]], found: Read, untold: frozenset[LinkId]) -> None:
    columns, reasons = found.columns, found.before.reasons
    numbers = columns.numbers
    for after, until in spans:
        page = (await reader.rows(LINKS, after=after, until=until))[0]
        for a, b, kind, authority, first_seen, sure, reason, previous in _listed(page, LINK_COLUMNS):
            one, other = numbers.get(a), numbers.get(b)
            if one is None or other is None:
                continue
            if untold and LinkId(a, b, KINDS[kind], previous or None) in untold:
                continue
            number = len(columns.first)
            reasons[number] = reason or None
            columns.add_row((one, other), KINDS[kind], AUTHORITIES[authority], first_seen, sure)
            if previous:
                columns.previous[number] = previous
