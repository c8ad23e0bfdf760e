"""The namespaces that sources declared, beside those the policy names; every process reads them with each batch."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from graph.connection import Reader, Row, Transaction, Writer
from graph.errors import NamespaceConflictError
from graph.policy_state import refuse_while_applying
from identity.policy import Namespace, Normaliser, Policy, Role

# a label scan: a few nodes, one per declared namespace
DECLARED = """
MATCH (n:Namespace)
RETURN n {.*} AS namespace
ORDER BY n.name
"""

# namespace_name (unique)
DECLARE = """
UNWIND $rows AS row
MERGE (n:Namespace {name: row.name})
ON CREATE SET n = row
RETURN n {.*} AS namespace
"""

RULES = ("role", "priority", "unique", "max_partners", "generic_above", "active", "active_days", "normaliser")


async def declared_namespaces(reader: Reader) -> tuple[Namespace, ...]:
    """The namespaces that sources declared, by name."""
    return tuple(namespace_from(row["namespace"]) for row in await reader.rows(DECLARED))


async def declare(writer: Writer, namespaces: Sequence[Namespace], source: str) -> None:
    """Record the namespaces of a source; declaring the same again has no effect.

    Raises NamespaceConflictError where one is recorded with other rules, PolicyApplyingError while a policy is being
    applied, which may contradict what is declared; nothing is written then.
    """
    await writer.write(declare_in, namespaces, source)


async def declare_in(tx: Transaction, namespaces: Sequence[Namespace], source: str) -> None:
    """As `declare`, in a transaction of somebody else."""
    await refuse_while_applying(tx)
    rows = [{**_row(each), "declared_by": source} for each in sorted(namespaces, key=lambda each: each.name)]
    for row, wanted in zip(await tx.rows(DECLARE, rows=rows), rows, strict=True):
        found = row["namespace"]
        different = [rule for rule in RULES if found.get(rule) != wanted.get(rule)]
        if different:
            sentence = (
                f"{source} declares `{wanted['name']}` with another {', '.join(different)} than {found['declared_by']}"
            )
            raise NamespaceConflictError(sentence)


def _row(each: Namespace) -> dict[str, object]:
    rules = {rule: getattr(each, rule) for rule in RULES}
    return {"name": each.name, **rules, "role": each.role.value, "normaliser": each.normaliser.value}


def namespace_from(row: Row) -> Namespace:
    """A stored declaration as a value."""
    return Namespace(
        name=row["name"],
        role=Role(row["role"]),
        priority=row["priority"],
        unique=row["unique"],
        max_partners=row.get("max_partners"),
        generic_above=row.get("generic_above"),
        active=row.get("active"),
        active_days=row.get("active_days"),
        normaliser=Normaliser(row["normaliser"]),
    )


def in_force(policy: Policy, rows: Sequence[Mapping[str, object]]) -> Policy:
    """The policy with the declared namespaces of some rows; equal rows give the same object again."""
    return _in_force(_Same(policy), tuple(namespace_from(row) for row in rows)) if rows else policy


class _Same:
    """A policy that is equal to itself alone, so that it can be a key."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.policy is self.policy


@lru_cache(maxsize=64)
def _in_force(same: _Same, namespaces: tuple[Namespace, ...]) -> Policy:
    return same.policy.with_namespaces(namespaces)
