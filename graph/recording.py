"""Interactions and observations of a batch, written as they were heard."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from graph.connection import Row, Transaction
from graph.locks import StartAgainError
from graph.tombstones import PSEUDONYMS
from identity.evidence import Heard
from identity.identifiers import IdentifierKey
from identity.messages import About, Authority, Json, Message, MessageId, Sighting, micros
from identity.survivorship import Observation, canonical, joined

# identifier_key (unique); interaction_id (unique) refuses a message that another process committed meanwhile
RECORD_INTERACTIONS = """
UNWIND $rows AS row
MATCH (actor:Identifier {key: row.facts.actor})
USING INDEX SEEK actor:Identifier(key)
CREATE (i:Interaction)
SET i = row.facts
CREATE (i)-[:BY]->(actor)
WITH i, row
UNWIND row.devices AS key
MATCH (device:Identifier {key: key})
USING INDEX SEEK device:Identifier(key)
CREATE (i)-[:ON]->(device)
"""

# interaction_id (unique) refuses a message that another process committed meanwhile
RECORD_NOBODYS = """
UNWIND $rows AS row
CREATE (i:Interaction)
SET i = row
"""

# Who mentions a thing without a fact of it says nothing new of it, however late; it is there from then on, and has its
# facts and its account when those come. All things are written first, and so locked, in the order of their keys: who
# ties an interaction to a busy one shares a lock on it, and two that share it and then write to it would wait for each
# other.
# interaction_id (unique); the things' own keys (unique); how many pseudonyms there are once the last one is locked
RECORD_ABOUT = f"""
UNWIND $things AS row
MERGE (thing:$(row.subject) {{key: row.key}})
ON CREATE SET
  thing.at = row.at, thing.message = row.message, thing.facts = row.facts, thing.told = row.told,
  thing.account = row.account, thing.account_at = row.account_at
ON MATCH SET
  thing.message = thing.message,
  thing += CASE
    WHEN row.account IS NOT NULL AND (thing.account IS NULL OR row.account_at > coalesce(thing.account_at, thing.at)
      OR row.account_at = coalesce(thing.account_at, thing.at) AND row.account > thing.account)
      THEN {{account: row.account, account_at: row.account_at}}
    ELSE {{}}
  END,
  thing += CASE
    WHEN row.told AND NOT coalesce(thing.told, true)
      OR row.told = coalesce(thing.told, true)
        AND (row.at > thing.at OR row.at = thing.at AND row.message > coalesce(thing.message, ''))
      THEN {{at: row.at, message: row.message, facts: row.facts, told: row.told}}
    ELSE {{}}
  END
WITH collect([thing, row.interactions]) AS written
CALL (written) {{
  UNWIND written AS each
  WITH each[0] AS thing, each[1] AS interactions
  UNWIND interactions AS id
  MATCH (i:Interaction {{id: id}})
  USING INDEX SEEK i:Interaction(id)
  CREATE (i)-[:ABOUT]->(thing)
}}
RETURN {PSEUDONYMS} AS pseudonyms
"""

# observation_key (unique)
OBSERVATIONS = """
UNWIND $keys AS key
MATCH (o:Observation {key: key})
USING INDEX SEEK o:Observation(key)
RETURN key, o.at AS at, o.message AS message, o.sure AS sure, o.first_at AS first_at,
  o.first_message AS first_message, o.count AS count
"""

# identifier_key (unique); observation_key (unique)
KEEP_OBSERVATIONS = """
CALL () {
  UNWIND $new AS row
  MATCH (i:Identifier {key: row.identifier})
  USING INDEX SEEK i:Identifier(key)
  CREATE (o:Observation)-[:OF]->(i)
  SET o = row.facts
}
CALL () {
  UNWIND $repeated AS facts
  MATCH (o:Observation {key: facts.key})
  USING INDEX SEEK o:Observation(key)
  SET o += facts
}
"""


async def record_interactions(tx: Transaction, heard: Sequence[Heard], now: int) -> None:
    """Write each message as an interaction of its actor, on its devices, about its things. now: µs.

    All that hearing looks at is kept as it came, so that another policy can hear the same history again. What
    describes an account alone is nobody's, and is kept so that it is known when it comes again.
    """
    acted = [each for each in heard if each.actor is not None]
    rows = [{"facts": interaction_facts(each, now), "devices": list(each.devices)} for each in acted]
    await tx.rows(RECORD_INTERACTIONS, rows=rows)
    if len(acted) < len(heard):
        await tx.rows(RECORD_NOBODYS, rows=[interaction_facts(each, now) for each in heard if each.actor is None])


async def record_things(tx: Transaction, heard: Sequence[Heard], pseudonyms: int) -> None:
    """Write what the interactions are about: orders, deals, products.

    pseudonyms: how many accounts and things had one when the batch began; StartAgainError when there are more once the
    things are locked, since an erasure may have given one to any of these.

    Last of all in a transaction: everybody's messages meet at the same products, and who writes to one holds it until
    the end. With this first, two writers of one stream did 882 messages/s; the second only waited.
    """
    said: dict[tuple[str, str], _Thing] = {}
    for each in heard:
        for thing in each.message.about:
            said.setdefault((thing.key, thing.subject.value), _Thing()).add(each.message, thing)
    if said:
        rows = [{"key": key, "subject": subject, **said[key, subject].facts()} for key, subject in sorted(said)]
        if (await tx.rows(RECORD_ABOUT, things=rows))[0]["pseudonyms"] > pseudonyms:
            raise StartAgainError


@dataclass(slots=True)
class _Thing:
    """What a batch says of a thing. said: by whom what counts, the latest that tells anything before all others.

    account: with its moment. interactions: those that are about it.
    """

    interactions: set[MessageId] = field(default_factory=set)
    said: tuple[bool, int, MessageId, About] | None = None
    account: tuple[int, str] | None = None

    def add(self, message: Message, thing: About) -> None:
        at = micros(message.at)
        now = (bool(thing.facts), at, message.id, thing)
        if self.said is None or now[:3] >= self.said[:3]:
            self.said = now
        if thing.account is not None:
            self.account = max(self.account or (at, thing.account), (at, thing.account))
        self.interactions.add(message.id)

    def facts(self) -> dict[str, object]:
        """The row of RECORD_ABOUT but for its key."""
        if self.said is None:
            return {}
        told, at, message, thing = self.said
        account_at, account = self.account or (at, None)
        return {
            "told": told,
            "at": at,
            "message": message,
            "facts": canonical(dict(thing.facts)),
            "account": account,
            "account_at": account_at,
            "interactions": sorted(self.interactions),
        }


def interaction_facts(heard: Heard, now: int) -> dict[str, object]:
    """A message and what was heard of it, as the properties of an interaction. now: when it is recorded, µs."""
    message = heard.message
    return {
        "id": message.id,
        "actor": heard.actor,
        "at": micros(message.at),
        "own_time": micros(message.own_time) if message.own_time else None,
        "received_at": micros(message.received_at),
        "recorded_at": now,
        "type": message.kind.value,
        "name": message.name,
        "channel": message.channel,
        "source": message.source,
        "digest": message.digest,
        "persons": list(heard.persons) or None,
        "identifiers": _json([_sighted(each) for each in message.sightings]),
        "previous": message.previous_id,
        "region": message.region,
        "authority": message.authority.word if message.authority is not Authority.CLAIMED else None,
        "account": _json(message.account) if message.account else None,
        "traits": _json(message.traits) if message.traits else None,
        "properties": _json(message.properties) if message.properties else None,
        "context": _json(message.context) if message.context else None,
        "warnings": [f"{each.code} {each.place}: {each.sentence}" for each in heard.warnings] or None,
    }


def _sighted(each: Sighting) -> list[object]:
    said: list[object] = [each.namespace, each.value, each.place, each.authority.word, each.record_key]
    return [*said, True] if each.retired else said


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


async def record_observations(tx: Transaction, heard: Sequence[Heard], now: int) -> None:
    """Write the trait values that the messages state, aggregated with the same values stated before. now: µs.

    The lock on the actor, which the transaction holds, guards its observations.
    """
    await keep_observations(tx, [(each.actor, one) for each in heard if each.actor for one in each.observations], now)


async def keep_observations(
    tx: Transaction, observations: Iterable[tuple[IdentifierKey, Observation]], now: int
) -> None:
    """Write observations of identifiers that the transaction has locked, aggregated with what is stored. now: µs."""
    said: dict[str, tuple[IdentifierKey, Observation]] = {}
    for actor, observation in observations:
        key = observation_key(actor, observation.trait, observation.source, observation.value)
        said[key] = (actor, joined(said[key][1], observation) if key in said else observation)
    if said:
        await _write_observations(tx, said, now)


def observation_key(actor: IdentifierKey, trait: str, source: str, value: Json) -> str:
    """The key under which repeats of one value aggregate: a hash of whom it is about, what, and who says it."""
    text = orjson.dumps([actor, trait, source, canonical(value)])
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def former_key(key: str, message: str) -> str:
    """The key of what stood under another until it was taken back. message: its latest, told from others by that."""
    return hashlib.blake2b(orjson.dumps([key, message]), digest_size=16).hexdigest()


async def _write_observations(tx: Transaction, said: dict[str, tuple[IdentifierKey, Observation]], now: int) -> None:
    rows = await tx.rows(OBSERVATIONS, keys=sorted(said))
    stored = {row["key"]: row for row in rows}
    new = [
        {"identifier": actor, "facts": {**observed_facts(key, each), "recorded_at": now}}
        for key, (actor, each) in said.items()
        if key not in stored
    ]
    repeated = [observed_facts(key, _joined(said[key][1], row)) for key, row in stored.items()]
    await tx.rows(KEEP_OBSERVATIONS, new=new, repeated=repeated)


def _joined(said: Observation, row: Row) -> Observation:
    old = Observation(
        trait=said.trait,
        value=said.value,
        source=said.source,
        at=row["at"],
        message=row["message"],
        sure=row["sure"],
        first_at=row["first_at"],
        first_message=row["first_message"],
        count=row["count"],
    )
    return joined(old, said)


def observed_facts(key: str, each: Observation) -> dict[str, object]:
    """An observation as properties."""
    return {
        "key": key,
        "trait": each.trait,
        "value": canonical(each.value),
        "source": each.source,
        "at": each.at,
        "message": each.message,
        "sure": each.sure,
        "first_at": each.first_at,
        "first_message": each.first_message,
        "count": each.count,
    }
