"""Manual acts carried over to what their ends are under another policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from graph.acts import ACT_ROW, act_from
from graph.connection import Reader, Transaction
from identity.carrying import Decided, Heirs, carried, ends_of
from identity.evidence import Act
from identity.identifiers import IdentifierKey
from identity.policy import Policy

# a label scan: the manual acts are few
ALL_DECIDED = f"""
MATCH (x:Act)
RETURN {ACT_ROW}, coalesce(x.said_a, x.a) AS said_a, coalesce(x.said_b, x.b) AS said_b
"""

# identifier_key (unique)
THERE = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})
USING INDEX SEEK i:Identifier(key)
RETURN key
"""

# act_id (unique)
CARRY_ACTS = """
UNWIND $rows AS row
MATCH (x:Act {id: row.id})
USING INDEX SEEK x:Act(id)
SET x.a = row.a, x.b = row.b, x.said_a = row.said_a, x.said_b = row.said_b
"""


@dataclass(frozen=True, slots=True)
class Carried:
    """The acts as they are under a candidate, and those of them of which an end is another key than it is stored."""

    acts: tuple[Act, ...] = ()
    moved: tuple[Decided, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report says of them."""
        empty = sum(each.act.a == each.act.b for each in self.moved)
        said = [f"{len(self.moved):,} acts by hand go over to what their identifiers are then"] if self.moved else []
        return (*said, *([f"{empty:,} of them mean nothing then: both ends are one identifier"] if empty else []))


async def carried_acts(
    reader: Reader,
    of: Mapping[IdentifierKey, Collection[IdentifierKey]],
    heard: Mapping[IdentifierKey, bool],
    policy: Policy,
) -> Carried:
    """All acts as they are under a policy. of: heirs by old key. heard: whether what is touched is there under it."""
    rows = await reader.rows(ALL_DECIDED)
    decided = [Decided(act_from(row), IdentifierKey(row["said_a"]), IdentifierKey(row["said_b"])) for row in rows]
    stored = {row["key"] for row in await reader.rows(THERE, keys=sorted(ends_of(decided, policy)))}
    there = {key for key in stored if heard.get(key, True)} | {key for key, is_there in heard.items() if is_there}
    now = carried(decided, Heirs(of, there, policy))
    moved = (each for each, before in zip(now, decided, strict=True) if each.act != before.act)
    return Carried(tuple(each.act for each in now), tuple(moved))


async def carry(tx: Transaction, moved: Sequence[Decided]) -> None:
    """Write acts with the ends that they have now; what was said when they were decided is kept beside."""
    rows = [
        {"id": each.act.id, "a": each.act.a, "b": each.act.b, "said_a": each.said_a, "said_b": each.said_b}
        for each in moved
    ]
    await tx.rows(CARRY_ACTS, rows=rows)
