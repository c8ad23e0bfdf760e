"""Whether a version of the policy is being applied, which everything else that writes has to wait for."""

from graph.connection import Transaction
from graph.errors import PolicyApplyingError

# a label scan: a few nodes
APPLYING = """
MATCH (v:PolicyVersion {state: 'applying'})
RETURN v.number AS number, v.by AS by
"""


async def refuse_while_applying(tx: Transaction) -> None:
    """Begin a unit of work that writes what follows from no policy. Raises PolicyApplyingError as `begin` does."""
    for row in await tx.rows(APPLYING):
        raise PolicyApplyingError(row["number"], row["by"])
