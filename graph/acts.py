"""Manual acts as rows: what somebody with the right to decided about two identifiers."""

from collections.abc import Iterable
from dataclasses import asdict

from graph.connection import Row, Statements, Transaction
from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey

ACT_ROW = """x.id AS id, x.kind AS kind, x.a AS a, x.b AS b, x.at AS at, x.by AS by, x.undoes AS undoes,
  x.decision AS decision, x.note AS note"""

# act_a and act_b (range): two seeks per key
ACTS_ABOUT = f"""
UNWIND $keys AS key
CALL (key) {{
  MATCH (x:Act {{a: key}})
  USING INDEX SEEK x:Act(a)
  RETURN x
  UNION
  MATCH (x:Act {{b: key}})
  USING INDEX SEEK x:Act(b)
  RETURN x
}}
RETURN DISTINCT {ACT_ROW}
"""

# act_decision (range)
ACTS_OF_DECISION = f"""
MATCH (x:Act {{decision: $decision}})
USING INDEX SEEK x:Act(decision)
RETURN {ACT_ROW}
"""

# act_id (unique)
KEEP_ACTS = """
UNWIND $rows AS row
MERGE (x:Act {id: row.id})
ON CREATE SET x = row
"""


async def acts_about(tx: Statements, keys: Iterable[IdentifierKey]) -> list[Act]:
    """The acts that name any of the identifiers, in no order."""
    return [act_from(row) for row in await tx.rows(ACTS_ABOUT, keys=sorted(keys))]


async def acts_of(tx: Statements, decision: str) -> list[Act]:
    """What was decided together, in no order; nothing for a decision that is unknown."""
    return [act_from(row) for row in await tx.rows(ACTS_OF_DECISION, decision=decision)]


def act_from(row: Row) -> Act:
    """A row of ACT_ROW as a value."""
    return Act(
        id=ActId(row["id"]),
        kind=ActKind(row["kind"]),
        a=IdentifierKey(row["a"]),
        b=IdentifierKey(row["b"]),
        at=row["at"],
        by=row["by"] or "",
        undoes=ActId(row["undoes"]) if row["undoes"] else None,
        decision=row["decision"] or "",
        note=row["note"],
    )


async def keep_acts(tx: Transaction, acts: Iterable[Act], now: int) -> None:
    """Store acts, each once. now: µs."""
    await tx.rows(KEEP_ACTS, rows=[{**asdict(act), "kind": act.kind.value, "recorded_at": now} for act in acts])
