"""The names that sources gave kinds of interactions beside the standard ones: declared once, and read with the policy.

Nothing of it is stored with an interaction, so it counts for what came before as well. A name means the same wherever
it comes from, as the standard ones do: by it alone a person's orders are found in an index.
"""

from collections.abc import Iterable

from graph.connection import Row, Transaction, Writer
from graph.errors import NameConflictError
from insight.interactions import Kind, Named

# interaction_name_name (unique)
NAME = """
UNWIND $rows AS row
MERGE (n:InteractionName {name: row.name})
ON CREATE SET n.named_by = row.named_by
SET n.kind = CASE WHEN n.named_by = row.named_by THEN row.kind ELSE n.kind END
RETURN n {.*} AS named
"""


async def name_kinds(writer: Writer, named: Named, by: str) -> None:
    """Record of which kinds interactions of some names are; saying the same again has no effect.

    by: who says so, a source or the settings; it may say something else later. Raises NameConflictError where
    somebody else gave a name another kind, and nothing is written then.
    """
    if named:
        await writer.write(_name, named, by)


async def _name(tx: Transaction, named: Named, by: str) -> None:
    rows = [{"name": name, "kind": kind.value, "named_by": by} for name, kind in named]
    for row, wanted in zip(await tx.rows(NAME, rows=rows), rows, strict=True):
        found = row["named"]
        if found["kind"] != wanted["kind"]:
            raise NameConflictError(
                f"{by} says that `{wanted['name']}` is of kind {wanted['kind']}, and {found['named_by']} that it is of "
                f"kind {found['kind']}"
            )


def named_in(rows: Iterable[Row]) -> Named:
    """Stored names as values, in order; of a kind that a newer version knows nothing is said."""
    known = frozenset(Kind)
    return tuple((row["name"], Kind(row["kind"])) for row in rows if row["kind"] in known)
