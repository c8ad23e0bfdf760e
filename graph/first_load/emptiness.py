"""Whether a graph holds nothing yet but what a start and a key leave in it, and what that is."""

from collections.abc import Mapping

from graph.connection import Reader, Transaction
from graph.errors import NotEmptyError
from graph.first_load.tables import Facts
from graph.ingestion import FLAG_REPEATS

# Of migrations nothing is kept: a new store has no index yet, so they are made again.
KEPT = ("PolicyVersion", "ApiKey", "Namespace", "InteractionName", "Segment")

# counts that the store keeps
ALL_AND_KEPT = """
MATCH (n)
WITH count(n) AS many
RETURN many, COUNT { (:Migration) } + COUNT { (:MigrationLock) } + COUNT { (:PolicyVersion) } + COUNT { (:ApiKey) }
  + COUNT { (:Namespace) } + COUNT { (:InteractionName) } + COUNT { (:Segment) } AS kept
"""

# five label scans: a few nodes each
KEPT_NODES = """
CALL () {
  MATCH (v:PolicyVersion)
  RETURN 'PolicyVersion' AS label, v {.*} AS facts
  UNION ALL
  MATCH (k:ApiKey)
  RETURN 'ApiKey' AS label, k {.*} AS facts
  UNION ALL
  MATCH (n:Namespace)
  RETURN 'Namespace' AS label, n {.*} AS facts
  UNION ALL
  MATCH (n:InteractionName)
  RETURN 'InteractionName' AS label, n {.*} AS facts
  UNION ALL
  MATCH (s:Segment)
  RETURN 'Segment' AS label, s {.*} AS facts
}
RETURN label, facts
"""


async def kept_nodes(reader: Reader) -> list[tuple[str, Facts]]:
    """What a graph holds that holds nothing else, node by node with its label. Raises NotEmptyError."""
    (row,) = await reader.rows(ALL_AND_KEPT)
    if row["many"] != row["kept"]:
        raise NotEmptyError(
            f"this graph holds {row['many'] - row['kept']:,} nodes already; a first load is for an empty one, so load "
            "without --first, or set SELFSAME_DATA_DIR to a new folder"
        )
    return [(row["label"], row["facts"]) for row in await reader.rows(KEPT_NODES)]


async def flag_differing(tx: Transaction, differing: Mapping[str, int]) -> None:
    """Note of interactions how many repeats of them said something else. differing: by their ids."""
    if differing:
        await tx.rows(FLAG_REPEATS, ids=[id_ for id_, many in sorted(differing.items()) for _ in range(many)])
