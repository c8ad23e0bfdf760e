"""Stored interactions as the messages they were, so that another policy can hear the same history again."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec

from graph.connection import Reader, Row
from graph.links import AUTHORITIES
from identity.messages import AccountStatement, Authority, Message, MessageKind, Named, Sighting, SourceName, moment

PAGE = 25_000
AT_ONCE = 5_000

# interaction_id (unique), in the order of ids
NAMES = """
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(id)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $page
RETURN collect([i.id, i.identifiers, i.previous, i.region]) AS names
"""

# interaction_id (unique)
INTERACTIONS = """
UNWIND $ids AS id
MATCH (i:Interaction {id: id})
USING INDEX SEEK i:Interaction(id)
RETURN i {
  .id, .source, .type, .name, .at, .own_time, .received_at, .recorded_at, .identifiers, .previous, .region, .authority,
  .account, .traits, .warnings
} AS interaction
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """An interaction as the message it was, when it was recorded (µs), and what is written of its warnings."""

    message: Message
    recorded_at: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Names:
    sightings: tuple[Sighting, ...]
    previous_id: str | None
    region: str | None


async def replayed(reader: Reader, wanted: Callable[[Named], bool]) -> AsyncIterator[Replayed]:
    """The stored interactions whose names are wanted. Of all others nothing but the names is read."""
    after = ""
    while rows := (await reader.rows(NAMES, after=after, page=PAGE))[0]["names"]:
        ids = [id_ for id_, *names in rows if wanted(_names(*names))]
        for start in range(0, len(ids), AT_ONCE):
            for row in await reader.rows(INTERACTIONS, ids=ids[start : start + AT_ONCE]):
                yield replayed_from(row["interaction"])
        after = rows[-1][0]


def _names(identifiers: str | None, previous: str | None, region: str | None) -> _Names:
    return _Names(_sightings(identifiers), previous, region)


def replayed_from(row: Row) -> Replayed:
    """A row of INTERACTIONS as a value."""
    return Replayed(message_from(row), row["recorded_at"] or row["received_at"], tuple(row["warnings"] or ()))


def message_from(row: Row) -> Message:
    """The message that an interaction was, as far as hearing looks at it.

    Properties, context, channel, what it is about and the warnings of its reading are left out, and so is the digest.
    """
    source = SourceName(row["source"])
    return Message(
        source=source,
        message_id=row["id"][len(source) + 1 :],
        kind=MessageKind(row["type"]),
        received_at=moment(row["received_at"]),
        at=moment(row["at"]),
        own_time=None if row["own_time"] is None else moment(row["own_time"]),
        sightings=_sightings(row["identifiers"]),
        digest="",
        name=row["name"],
        previous_id=row["previous"],
        traits=msgspec.json.decode(row["traits"]) if row["traits"] else {},
        account=AccountStatement(**msgspec.json.decode(row["account"])) if row["account"] else None,
        authority=_authority(row["authority"]),
        region=row["region"],
    )


def _sightings(text: str | None) -> tuple[Sighting, ...]:
    return tuple(_sighting(*each) for each in msgspec.json.decode(text or "[]"))


def _sighting(
    namespace: str,
    value: str,
    place: str,
    authority: str | None = None,
    record_key: bool = False,
    retired: bool = False,
) -> Sighting:
    return Sighting(namespace, value, place, _authority(authority), record_key, retired)


def _authority(word: str | None) -> Authority:
    return AUTHORITIES[word] if word else Authority.CLAIMED
