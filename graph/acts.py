"""Manual acts as rows: what somebody with the right to decided about two identifiers."""

from collections.abc import Iterable

from graph.connection import Row, Transaction
from identity.evidence import Act, ActId, ActKind
from identity.identifiers import IdentifierKey

ACT_ROW = "x.id AS id, x.kind AS kind, x.a AS a, x.b AS b, x.at AS at, x.by AS by"

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

# act_id (unique)
KEEP_ACT = """
MERGE (x:Act {id: $id})
ON CREATE SET x.kind = $kind, x.a = $a, x.b = $b, x.at = $at, x.by = $by, x.recorded_at = $now
"""


async def acts_about(tx: Transaction, keys: Iterable[IdentifierKey]) -> list[Act]:
    """The acts that name any of the identifiers, in no order."""
    return [act_from(row) for row in await tx.rows(ACTS_ABOUT, keys=sorted(keys))]


def act_from(row: Row) -> Act:
    """A row of ACT_ROW as a value."""
    ends = IdentifierKey(row["a"]), IdentifierKey(row["b"])
    return Act(ActId(row["id"]), ActKind(row["kind"]), *ends, row["at"], row["by"])


async def keep_act(tx: Transaction, act: Act, now: int) -> None:
    """Store an act once. now: µs."""
    facts = {"id": act.id, "kind": act.kind.value, "a": act.a, "b": act.b, "at": act.at, "by": act.by}
    await tx.rows(KEEP_ACT, **facts, now=now)
