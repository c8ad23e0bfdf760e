"""The versions of the policy, kept in the graph: one is in force, everywhere, whatever a file says.

The first start keeps the configured policy as version 1. After that only `selfsame policy apply` changes what is in
force, since everything stored follows from it. A process holds the policy that it knows; each unit of work that writes
asks for the number in force in its first statement, and is given the text only when that is another one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from graph.connection import Reader, Row, Transaction, Writer
from graph.errors import PolicyApplyingError
from graph.interaction_names import named_in
from graph.namespaces import in_force
from graph.tombstones import PSEUDONYMS, REMEMBERED
from identity.errors import PolicyInvalidError
from identity.policy import Policy
from identity.policy_text import policy_from_toml
from insight.interactions import STANDARD, Names, names_with


class State(StrEnum):
    """What a version is: being applied, in force, or replaced by a later one."""

    APPLYING = "applying"
    IN_FORCE = "in_force"
    PAST = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One version. recorded_at, in_force_at, past_at: µs; in_force_at is None while it is being applied.

    report: what its application changed, as JSON text; None for the first one, and until it is in force.
    """

    number: int
    text: str
    hash: str
    state: State
    by: str
    note: str
    recorded_at: int
    in_force_at: int | None
    past_at: int | None
    report: str | None


@dataclass(slots=True)
class PolicyHeld:
    """The policy that a process knows to be in force. number: of its version, 0 while none was read.

    names: of which kind interactions are by their names; it is read with the policy, and changes at any time.
    """

    policy: Policy
    number: int = 0
    names: Names = STANDARD


@dataclass(frozen=True, slots=True)
class Begun:
    """How a unit of work begins. policy: in force, with the declared namespaces; known: stored message id -> digest.

    remembered: how many erasures the graph remembers (graph.tombstones); pseudonyms: of how many accounts and things.
    """

    policy: Policy
    known: Mapping[str, str]
    remembered: int
    pseudonyms: int


# interaction_id (unique); two label scans: the declared namespaces and the versions are a few nodes
BEGIN = f"""
CALL () {{
  UNWIND $ids AS id
  MATCH (i:Interaction {{id: id}})
  USING INDEX SEEK i:Interaction(id)
  RETURN collect([id, i.digest]) AS known
}}
CALL () {{
  MATCH (n:Namespace)
  RETURN collect(n {{.*}}) AS namespaces
}}
CALL () {{
  MATCH (v:PolicyVersion)
  WHERE v.state <> 'past'
  RETURN collect({{
    number: v.number, state: v.state, by: v.by, text: CASE WHEN v.number <> $held THEN v.text END
  }}) AS versions
}}
RETURN known, namespaces, versions, {REMEMBERED} AS remembered, {PSEUDONYMS} AS pseudonyms
"""


async def begin(tx: Transaction, held: PolicyHeld, ids: Sequence[str] = ()) -> Begun:
    """Begin a unit of work that writes: the policy in force, and which of these message ids are known.

    held: is given the policy in force where it holds another one. Raises PolicyApplyingError while a policy is being
    applied, and then nothing may be written.
    """
    row = (await tx.rows(BEGIN, ids=list(ids), held=held.number))[0]
    for version in row["versions"]:
        if version["state"] == State.APPLYING:
            raise PolicyApplyingError(version["number"], version["by"])
        _take(held, version)
    policy = in_force(held.policy, row["namespaces"])
    return Begun(policy, dict(row["known"]), row["remembered"], row["pseudonyms"])


def held_of(policy: Policy | PolicyHeld) -> PolicyHeld:
    """A holder: the one handed in, or a new one that begins with a policy and is told which version is in force."""
    return policy if isinstance(policy, PolicyHeld) else PolicyHeld(policy)


def _take(held: PolicyHeld, version: Row) -> None:
    if version["text"] is not None and version["number"] != held.number:
        held.policy = read_policy(version["number"], version["text"])
        held.number = version["number"]


def read_policy(number: int, text: str) -> Policy:
    """The policy of a version. Raises PolicyInvalidError where this software does not understand it."""
    try:
        return policy_from_toml(text)
    except PolicyInvalidError as error:
        raise PolicyInvalidError(error.problems, f"version {number} of the policy, which is in force") from error


# two label scans: the versions and the names that sources gave are a few nodes
IN_FORCE = """
CALL () {
  MATCH (v:PolicyVersion {state: 'in_force'})
  RETURN collect({number: v.number, text: CASE WHEN v.number <> $held THEN v.text END}) AS versions
}
CALL () {
  MATCH (n:InteractionName)
  WITH n
  ORDER BY n.name
  RETURN collect(n {.*}) AS names
}
RETURN versions, names
"""


async def follow(reader: Reader, held: PolicyHeld) -> None:
    """Give a holder the version in force and the names of interactions; while none is stored it keeps what it has.

    One statement. Raises PolicyInvalidError.
    """
    row = (await reader.rows(IN_FORCE, held=held.number))[0]
    for version in row["versions"]:
        _take(held, version)
    if (own := named_in(row["names"])) != held.names.own:
        held.names = names_with(own)


# policy_version_number (unique)
KEEP_FIRST = """
MERGE (v:PolicyVersion {number: 1})
ON CREATE SET v += $facts
"""


async def held_in(reader: Reader, writer: Writer, configured: Policy, now: int) -> PolicyHeld:
    """A holder of the policy in force; where no version is stored the configured one becomes version 1. now: µs."""
    held = PolicyHeld(configured)
    await follow(reader, held)
    if held.number == 0:
        await writer.write(_keep_first, configured, now)
        await follow(reader, held)
    return held


async def _keep_first(tx: Transaction, policy: Policy, now: int) -> None:
    facts = {"text": policy.text, "hash": policy.hash, "state": State.IN_FORCE.value, "by": "the first start"}
    await tx.rows(KEEP_FIRST, facts={**facts, "note": "", "recorded_at": now, "in_force_at": now})


VERSION_ROW = """v {
  .number, .text, .hash, .state, .by, .note, .recorded_at, .in_force_at, .past_at, .report
}"""

# a label scan: a few nodes
VERSIONS = f"""
MATCH (v:PolicyVersion)
RETURN {VERSION_ROW} AS version
ORDER BY v.number
"""


async def versions_of(reader: Reader) -> tuple[PolicyVersion, ...]:
    """All versions, the first one first. One statement."""
    return tuple(version_from(row["version"]) for row in await reader.rows(VERSIONS))


def version_from(row: Row) -> PolicyVersion:
    """A VERSION_ROW as a value."""
    return PolicyVersion(**{**row, "state": State(row["state"])})


# a label scan: a few nodes
AT = """
UNWIND $moments AS moment
CALL (moment) {
  MATCH (v:PolicyVersion)
  WHERE v.in_force_at <= moment
  RETURN v.number AS number, v.text AS text
  ORDER BY number DESC
  LIMIT 1
}
RETURN moment, number, text
"""


async def policies_at(reader: Reader, moments: Sequence[int]) -> Mapping[int, Policy]:
    """The policy in force at each moment (µs), without declared namespaces; one before the first has no entry."""
    rows = await reader.rows(AT, moments=list(moments))
    return {row["moment"]: read_policy(row["number"], row["text"]) for row in rows}


async def policy_at(reader: Reader, moment: int) -> Policy | None:
    """The policy that was in force at a moment (µs), without declared namespaces; None before the first one."""
    return (await policies_at(reader, [moment])).get(moment)
