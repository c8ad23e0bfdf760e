"""Stored interactions as the messages they were, so that another policy can hear the same history again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from graph.connection import Reader, Row
from graph.links import AUTHORITIES
from identity.messages import AccountStatement, Authority, Message, MessageKind, Sighting, SourceName, moment

PAGE = 5_000

# interaction_id (unique), in the order of ids, then one expand per interaction
INTERACTIONS = """
MATCH (i:Interaction)
USING INDEX SEEK i:Interaction(id)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $page
RETURN i {
  .id, .source, .type, .name, .at, .own_time, .received_at, .recorded_at, .identifiers, .previous, .region, .authority,
  .account, .traits, .warnings
} AS interaction
ORDER BY i.id
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """An interaction as the message it was, when it was recorded (µs), and what is written of its warnings."""

    message: Message
    recorded_at: int
    warnings: tuple[str, ...]


async def replayed(reader: Reader) -> AsyncIterator[list[Replayed]]:
    """Every stored interaction, page by page, in the order of ids."""
    after = ""
    while rows := await reader.rows(INTERACTIONS, after=after, page=PAGE):
        yield [replayed_from(row["interaction"]) for row in rows]
        after = rows[-1]["interaction"]["id"]


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
        sightings=tuple(_sighting(*each) for each in msgspec.json.decode(row["identifiers"] or "[]")),
        digest="",
        name=row["name"],
        previous_id=row["previous"],
        traits=msgspec.json.decode(row["traits"]) if row["traits"] else {},
        account=AccountStatement(**msgspec.json.decode(row["account"])) if row["account"] else None,
        authority=_authority(row["authority"]),
        region=row["region"],
    )


def _sighting(
    namespace: str, value: str, place: str, authority: str | None = None, record_key: bool = False
) -> Sighting:
    return Sighting(namespace, value, place, _authority(authority), record_key)


def _authority(word: str | None) -> Authority:
    return AUTHORITIES[word] if word else Authority.CLAIMED
