"""Segments: definitions compiled to Cypher, asked of everybody or of some profiles, and kept by name.

The compiler joins checked fragments. Whatever a user wrote becomes a parameter, except the names of traits, which must
be among those the policy names. Every condition is true or false, never null, so that `not` means what it says; that a
compiled definition means what `insight.segments.matches` says is a property test on the real Neo4j.
People are profiles that are not shared.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from graph.connection import Reader, Transaction, Writer
from graph.policy_state import refuse_while_applying
from graph.profiles import Profile, profile_from
from identity.identifiers import IdentifierKey, ProfileId
from insight.segments import (
    All,
    Comparison,
    Counted,
    Definition,
    Not,
    Some,
    TraitIs,
    bounds,
    definition_as_json,
    definition_from_json,
)

TRAIT_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}\Z")
MOST_SEGMENTS = 100


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment kept by name. definition: None when this version cannot read what was stored. created_at: µs.

    key: by which it is known whatever its name is; None until somebody looked who is in it.
    """

    name: str
    definition: Definition | None
    created_at: int
    changed_at: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """How many people a definition is true of, and the first few by id."""

    count: int
    sample: tuple[Profile, ...]


@dataclass(slots=True)
class _Compiler:
    """One statement's parameters and the traits it may name."""

    named: Collection[str]
    now: int
    parameters: dict[str, object] = field(default_factory=dict)

    def parameter(self, value: object) -> str:
        """The name under which a value travels beside the statement."""
        name = f"c{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def condition(self, definition: Definition) -> str:
        """A Cypher expression about `profile` that is true or false of each."""
        match definition:
            case All():
                return self.joined(definition.of, " AND ", "true")
            case Some():
                return self.joined(definition.of, " OR ", "false")
            case Not():
                return f"NOT {self.condition(definition.of)}"
            case TraitIs():
                return self.trait(definition)
            case Counted():
                return self.counted(definition)
            case _:
                assert_never(definition)

    def joined(self, parts: Sequence[Definition], word: str, empty: str) -> str:
        return f"({word.join(map(self.condition, parts))})" if parts else empty

    def trait(self, condition: TraitIs) -> str:
        if condition.name not in self.named or not TRAIT_NAME.match(condition.name):
            raise ValueError(f"`{condition.name}` is no named trait")
        trait = f"profile.`t_{condition.name}`"
        if condition.how is Comparison.EXISTS:
            return f"({trait} IS {'NOT ' if condition.value else ''}NULL)"
        wanted = self.parameter(list(condition.value) if isinstance(condition.value, tuple) else condition.value)
        return COMPARED[condition.how].format(trait=trait, wanted=wanted)

    def counted(self, condition: Counted) -> str:
        start, end = bounds(condition.window, self.now)
        wanted = f"""interaction.at >= {self.parameter(start)} AND interaction.at <= {self.parameter(end)}"""
        for name, value in (("name", condition.name), ("type", condition.type)):
            wanted += f" AND interaction.{name} = {self.parameter(value)}" if value is not None else ""
        index = "actor, name, at" if condition.name is not None else "actor, at, id"
        wanted += "" if condition.name is not None else " AND interaction.id IS NOT NULL"
        least = self.parameter(condition.at_least or 0)
        most = f" <= {self.parameter(condition.at_most)}" if condition.at_most is not None else ""
        return f"({least} <= {COUNT.format(index=index, wanted=wanted)}{most})"


# A comparison of a text with a number, or with nothing, is null.
COMPARED: Mapping[Comparison, str] = {
    Comparison.EQUALS: "coalesce({trait} = {wanted}, false)",
    Comparison.NOT_EQUALS: "coalesce({trait} <> {wanted}, true)",
    Comparison.CONTAINS: "coalesce({trait} CONTAINS {wanted}, false)",
    Comparison.STARTS_WITH: "coalesce({trait} STARTS WITH {wanted}, false)",
    Comparison.LESS: "coalesce({trait} < {wanted}, false)",
    Comparison.GREATER: "coalesce({trait} > {wanted}, false)",
    Comparison.IN: "coalesce({trait} IN {wanted}, false)",
}

# Her own interactions by their actor, and of what she shares those inside her spans; an end may lie in two spans.
COUNT = """(
    COUNT {{
      MATCH (profile)<-[:IDENTIFIES]-(own:Identifier)
      MATCH (interaction:Interaction)
      USING INDEX SEEK interaction:Interaction({index})
      WHERE interaction.actor = own.key AND {wanted}
    }} + COUNT {{
      MATCH (profile)<-[use:SHARED_BY]-(shared:Identifier)
      UNWIND range(0, size(coalesce(use.spans, [])) / 2 - 1) AS number
      MATCH (interaction:Interaction)
      USING INDEX SEEK interaction:Interaction({index})
      WHERE interaction.actor = shared.key
        AND use.spans[2 * number] <= interaction.at <= use.spans[2 * number + 1] AND {wanted}
      RETURN DISTINCT interaction
    }})"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A definition that is asked of people at a moment (µs). named: the traits that the policy names."""

    definition: Definition
    named: Collection[str]
    now: int


def compiled(asked: Asked) -> tuple[str, dict[str, object]]:
    """A Cypher expression about `profile`, true or false of each, and its parameters.

    Raises ValueError for a trait that is not named; `problems_of` says so before.
    """
    compiler = _Compiler(asked.named, asked.now)
    return compiler.condition(asked.definition), compiler.parameters


async def preview(reader: Reader, definition: Definition, named: Collection[str], now: int, first: int) -> Preview:
    """How many people a definition is true of at a moment (µs), and the first few by id.

    Raises ValueError for a trait that is not named; `problems_of` says so before. One statement.
    Cost: all people; for each, the interactions in the windows that the definition counts.
    """
    compiler = _Compiler(named, now)
    condition = compiler.condition(definition)
    rows = await reader.rows(
        f"""
MATCH (profile:Profile)
WHERE NOT profile.shared AND {condition}
WITH profile
ORDER BY profile.id
WITH count(*) AS count, collect(profile)[..$first] AS sample
RETURN count, [profile IN sample | profile {{.id, .known, .shared, .first_seen, .last_seen, .pending}}] AS sample
""",
        first=first,
        **compiler.parameters,
    )
    return Preview(rows[0]["count"], tuple(map(profile_from, rows[0]["sample"])))


async def memberships_in(
    reader: Reader | Transaction,
    profiles: Sequence[ProfileId],
    definitions: Mapping[str, Definition],
    named: Collection[str],
    now: int,
) -> dict[ProfileId, tuple[str, ...]]:
    """The names of those definitions that are true of each profile at a moment (µs), in the order given.

    A shared profile is in none; an unknown one has no entry. One statement, whatever the number of either.
    """
    compiler = _Compiler(named, now)
    conditions = [compiler.condition(definition) for definition in definitions.values()]
    rows = await reader.rows(
        f"""
UNWIND $profiles AS id
MATCH (profile:Profile {{id: id}})
USING INDEX SEEK profile:Profile(id)
RETURN id, [{", ".join(f"NOT profile.shared AND {condition}" for condition in conditions)}] AS found
""",
        profiles=list(profiles),
        **compiler.parameters,
    )
    return {ProfileId(row["id"]): _names(definitions, row["found"]) for row in rows}


def _names(definitions: Mapping[str, Definition], found: Sequence[bool]) -> tuple[str, ...]:
    return tuple(name for name, is_in in zip(definitions, found, strict=True) if is_in)


# A label scan: as many rows as there are segments, at most 100
SEGMENTS = """
MATCH (segment:Segment)
RETURN segment {.name, .definition, .created_at, .changed_at, .key} AS segment
ORDER BY segment.name
LIMIT $most
"""


async def stored_segments(reader: Reader) -> tuple[StoredSegment, ...]:
    """The segments kept by name, in the order of their names. One statement."""
    rows = await reader.rows(SEGMENTS, most=MOST_SEGMENTS)
    return tuple(segment_from(row["segment"]) for row in rows)


def segment_from(row: Mapping[str, object]) -> StoredSegment:
    """The segment in a node's properties."""
    fields = msgspec.convert(row, _SegmentRow)
    try:
        definition = definition_from_json(fields.definition)
    except msgspec.ValidationError:
        definition = None
    return StoredSegment(fields.name, definition, fields.created_at, fields.changed_at, fields.key)


class _SegmentRow(msgspec.Struct):
    name: str
    definition: str
    created_at: int
    changed_at: int
    key: str | None = None


# identifier_key (unique), then one expand per identifier
OPEN_OF = """
UNWIND $keys AS key
MATCH (i:Identifier {key: key})-[was:WAS_IN]->()
USING INDEX SEEK i:Identifier(key)
WHERE was.of IS NOT NULL
RETURN was.of AS of, collect(was.who) AS mints
"""


async def tell_gone(tx: Transaction, keys: Iterable[IdentifierKey], now: int) -> None:
    """Tell that identifiers, which are about to be deleted with all that hangs on them, leave their segments."""
    for row in await tx.rows(OPEN_OF, keys=sorted(keys)):
        tx.told.note_members(now, row["of"], [], sorted(row["mints"]))


# segment_name (unique); the count is a label scan of at most 100
DEFINE_SEGMENT = """
OPTIONAL MATCH (known:Segment {name: $name})
WITH known
WHERE known IS NOT NULL OR COUNT { MATCH (:Segment) } < $most
MERGE (segment:Segment {name: $name})
ON CREATE SET segment.created_at = $now, segment.key = $key
SET segment.definition = $definition, segment.changed_at = $now
REMOVE segment.swept, segment.sweeping
RETURN segment {.name, .definition, .created_at, .changed_at, .key} AS segment
"""


async def define_segment(writer: Writer, name: str, definition: Definition, now: int) -> StoredSegment | None:
    """Keep a definition under a name, instead of the one it had; None, and nothing kept, when there are 100 others.

    The definition must have no problems. Twice is once. Raises PolicyApplyingError, DatabaseAwayError.
    """
    return await writer.write(_define, name, definition, now)


async def _define(transaction: Transaction, name: str, definition: Definition, now: int) -> StoredSegment | None:
    await refuse_while_applying(transaction)
    rows = await transaction.rows(
        DEFINE_SEGMENT,
        name=name,
        definition=definition_as_json(definition),
        now=now,
        most=MOST_SEGMENTS,
        key=secrets.token_hex(10),
    )
    return segment_from(rows[0]["segment"]) if rows else None


# segment_name (unique)
REMOVE_SEGMENT = """
MATCH (segment:Segment {name: $name})
USING INDEX SEEK segment:Segment(name)
REMOVE segment:Segment
SET segment:RemovedSegment, segment.key = coalesce(segment.key, $key)
RETURN count(*) AS many
"""


async def remove_segment(writer: Writer, name: str) -> bool:
    """Keep a definition no longer; False when none was kept under the name. The name is free at once.

    Who is in it leaves behind that, in pages (graph/segment_members.py). Raises as `define_segment`.
    """
    return await writer.write(_remove, name)


async def _remove(transaction: Transaction, name: str) -> bool:
    await refuse_while_applying(transaction)
    rows = await transaction.rows(REMOVE_SEGMENT, name=name, key=secrets.token_hex(10))
    return bool(rows[0]["many"])
