"""Taking the values of the erased out of what others said and did; a record that is rewritten stays where it is."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import orjson

from graph.connection import Row, Transaction
from graph.scrubbed_observations import scrub_observations
from identity.erasure import ERASED, Hashing, Scrub
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Json, MessageId
from identity.survivorship import canonical

# interaction_id (unique)
INTERACTIONS = """
UNWIND $keys AS key
MATCH (n:Interaction {id: key})
USING INDEX SEEK n:Interaction(id)
RETURN n.id AS key, n {.*} AS facts
"""

# interaction_id (unique), one or two expands each
SHARED_DEVICES_OF = """
UNWIND $ids AS id
MATCH (n:Interaction {id: id})-[:BY|ON]->(device:Device)
USING INDEX SEEK n:Interaction(id)
WHERE device.generic IS NOT NULL
RETURN DISTINCT device.key AS key
"""

# interaction_id (unique); an id that told a value is replaced, and the message stays known by its hash
REWRITE_INTERACTIONS = """
CALL () {
  UNWIND $rows AS row
  MATCH (n:Interaction {id: row.key})
  USING INDEX SEEK n:Interaction(id)
  SET n += row.facts
}
CALL () {
  UNWIND $messages AS hash
  MERGE (:ErasedMessage {hash: hash})
}
"""

# identifier_key (unique), then one expand per identifier
OBSERVATIONS_OF = """
UNWIND $identifiers AS identifier
MATCH (i:Identifier {key: identifier})<-[:OF]-(n:Observation)
USING INDEX SEEK i:Identifier(key)
RETURN n.key AS key
"""

# identifier_key (unique), then one expand per identifier
SIGHTINGS = """
UNWIND $keys AS key
MATCH (n:Identifier {key: key})
USING INDEX SEEK n:Identifier(key)
RETURN key, CASE WHEN n.minted_by IS NULL THEN [] ELSE [n.minted_by] END
  + COLLECT { MATCH (n)-[link:LINKED]->() RETURN DISTINCT link.message } AS messages
"""

# identifier_key (unique), in the order of keys, then one expand per identifier
RENAME_SIGHTINGS = """
UNWIND $rows AS row
MATCH (n:Identifier {key: row.key})
USING INDEX SEEK n:Identifier(key)
UNWIND row.renamed AS renamed
SET n.minted_by = CASE WHEN n.minted_by = renamed[0] THEN renamed[1] ELSE n.minted_by END
WITH n, renamed
MATCH (n)-[link:LINKED]->()
WHERE link.message = renamed[0]
SET link.message = renamed[1]
"""

# segment_name (unique)
SEGMENTS = """
UNWIND $keys AS key
MATCH (n:Segment {name: key})
USING INDEX SEEK n:Segment(name)
RETURN key, n.definition AS definition
"""

# segment_name (unique)
REWRITE_SEGMENTS = """
UNWIND $rows AS row
MATCH (n:Segment {name: row.key})
USING INDEX SEEK n:Segment(name)
SET n += row.facts
"""

# policy_version_number (unique): as many rows as there are versions
NOTED_VERSIONS = """
MATCH (v:PolicyVersion)
USING INDEX SEEK v:PolicyVersion(number)
WHERE v.number > 0 AND v.note <> ''
RETURN v.number AS number, v.note AS note
"""

# policy_version_number (unique)
REWRITE_VERSIONS = """
UNWIND $rows AS row
MATCH (v:PolicyVersion {number: row.number})
USING INDEX SEEK v:PolicyVersion(number)
SET v.note = row.note
"""


def _read(label: str, key: str) -> str:
    return f"""
UNWIND $keys AS key
MATCH (n:{label} {{{key}: key}})
USING INDEX SEEK n:{label}({key})
RETURN key, n {{.*}} AS facts
"""


def _rewrite(label: str, key: str) -> str:
    return f"""
UNWIND $rows AS row
MATCH (n:{label} {{{key}: row.key}})
USING INDEX SEEK n:{label}({key})
SET n += row.facts
"""


# By label: how the records are read and rewritten, each by its own unique key.
OTHERS = {
    label: (_read(label, key), _rewrite(label, key))
    for label, key in {
        "Account": "key",
        "Order": "key",
        "Deal": "key",
        "Ticket": "key",
        "Campaign": "key",
        "Product": "key",
        "Act": "id",
        "AccountAct": "id",
        "Change": "id",
        "DeadLetter": "id",
        "Run": "id",
    }.items()
}


@dataclass(slots=True)
class Scrubbed:
    """What was rewritten. devices: shared ones whose uses may be others now; profiles: whose traits may be."""

    count: int = 0
    devices: set[IdentifierKey] = field(default_factory=set)
    profiles: set[ProfileId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """The work in one transaction: what is taken out, and how messages are remembered."""

    tx: Transaction
    scrub: Scrub
    hashing: Hashing
    done: Scrubbed

    async def records(self, label: str, keys: Sequence[str]) -> None:
        """Rewrite records of one label; those that are gone since, or hold no value, are passed over."""
        match label:
            case "Interaction":
                await self.interactions(keys)
            case "Observation":
                await self._observations(keys, self.scrub.telling())
            case "Identifier":
                await self._sightings(keys)
            case "Segment":
                await self._segments(keys)
            case _:
                await self._others(label, keys)

    async def versions(self) -> None:
        """Rewrite the notes of the versions of the policy, which are few."""
        rows = await self.tx.rows(NOTED_VERSIONS)
        scrub = self.scrub.telling()
        changed = [{"number": row["number"], "note": scrub.text(row["note"])} for row in rows]
        changed = [each for each, row in zip(changed, rows, strict=True) if each["note"] != row["note"]]
        if changed:
            await self.tx.rows(REWRITE_VERSIONS, rows=changed)
            self.done.count += len(changed)

    async def interactions(self, ids: Sequence[str]) -> None:
        """Rewrite interactions of others, and what they say of whom they are about."""
        rows = await self.tx.rows(INTERACTIONS, keys=list(ids))
        changed = [
            {"key": row["key"], "facts": facts}
            for row in rows
            if (facts := scrubbed_interaction(row["facts"], self.scrub, self.hashing))
        ]
        renamed = [row for row in changed if "id" in row["facts"]]
        messages = [self.hashing.of_message(MessageId(row["key"])) for row in renamed]
        self.done.devices |= await self._devices([row["key"] for row in changed])
        await self.tx.rows(REWRITE_INTERACTIONS, rows=changed, messages=messages)
        self.done.count += len(changed)
        carried = [row["facts"] for row in rows if is_carrier(row["facts"], self.scrub)]
        await self.observations_of({IdentifierKey(facts["actor"]) for facts in carried if facts.get("actor")})

    async def observations_of(self, identifiers: Iterable[IdentifierKey]) -> None:
        """Take the values out of all that was observed of these identifiers."""
        rows = await self.tx.rows(OBSERVATIONS_OF, identifiers=sorted(identifiers))
        if rows:
            await self._observations([row["key"] for row in rows], self.scrub)

    async def _devices(self, ids: Sequence[str]) -> set[IdentifierKey]:
        rows = await self.tx.rows(SHARED_DEVICES_OF, ids=list(ids)) if ids else []
        return {IdentifierKey(row["key"]) for row in rows}

    async def _observations(self, keys: Sequence[str], scrub: Scrub) -> None:
        count, profiles = await scrub_observations(self.tx, keys, scrub, self.hashing)
        self.done.count += count
        self.done.profiles |= profiles

    async def _sightings(self, keys: Sequence[str]) -> None:
        """By which messages identifiers of others and their links came to be known: ids that may tell a value."""
        scrub = self.scrub.telling()
        changed = [
            {"key": row["key"], "renamed": renamed}
            for row in await self.tx.rows(SIGHTINGS, keys=list(keys))
            if (renamed := [[one, new] for one in row["messages"] if (new := self.hashing.renamed(one, scrub)) != one])
        ]
        if changed:
            await self.tx.rows(RENAME_SIGHTINGS, rows=changed)
            self.done.count += len(changed)

    async def _segments(self, names: Sequence[str]) -> None:
        """A segment that asks for a value asks for nobody from then on; one named after it has a name of its own."""
        scrub = self.scrub.telling()
        changed: list[Mapping[str, object]] = []
        for row in await self.tx.rows(SEGMENTS, keys=list(names)):
            name, definition = row["key"], row["definition"]
            after = {"definition": _json_text(definition, lambda value: _redacted(value, scrub)), "name": name}
            if scrub.text(name) != name:
                after["name"] = f"{scrub.text(name)} {self.hashing.of_message(MessageId(name))[:8]}"
            if after != {"definition": definition, "name": name}:
                changed.append({"key": name, "facts": after})
        if changed:
            await self.tx.rows(REWRITE_SEGMENTS, rows=changed)
            self.done.count += len(changed)

    async def _others(self, label: str, keys: Sequence[str]) -> None:
        read, rewrite = OTHERS[label]
        rows = await self.tx.rows(read, keys=list(keys))
        scrub = self.scrub.written() if label == "DeadLetter" else self.scrub.telling()
        told = {
            row["key"]: SCRUBBED[label](row["facts"], scrub) | renamed_messages(row["facts"], scrub, self.hashing)
            for row in rows
        }
        changed = [{"key": key, "facts": facts} for key, facts in told.items() if facts]
        if changed:
            await self.tx.rows(rewrite, rows=changed)
            self.done.count += len(changed)


def scrubbed_interaction(facts: Row, scrub: Scrub, hashing: Hashing) -> dict[str, object]:
    """The properties of an interaction that are others without the erased values; none when it holds none.

    One that carried an erased identifier loses all their values, another one those that cannot be mistaken.
    """
    scrub = replace(scrub if is_carrier(facts, scrub) else scrub.telling(), region=facts.get("region"))
    after: dict[str, object] = {
        "identifiers": _without_sightings(facts.get("identifiers"), scrub),
        "persons": [each for each in facts.get("persons") or [] if each not in scrub.keys] or None,
        "warnings": [scrub.text(each) for each in facts.get("warnings") or []] or None,
        "name": scrub.text(facts["name"]) if facts.get("name") else None,
    }
    for name in ("traits", "properties", "context"):
        after[name] = _json_text(facts.get(name), scrub.json)
    after["account"] = _json_text(facts.get("account"), lambda value: _redacted(value, scrub))
    previous = facts.get("previous")
    after["previous"] = None if previous and _means(previous, scrub) else previous
    changed = {name: value for name, value in after.items() if value != facts.get(name)}
    if (id_ := hashing.renamed(facts["id"], scrub)) != facts["id"]:
        changed["id"] = id_
    return changed


def is_carrier(facts: Row, scrub: Scrub) -> bool:
    """Whether an interaction carried one of the erased identifiers."""
    here = replace(scrub, region=facts.get("region"))
    if not scrub.keys.isdisjoint(facts.get("persons") or ()) or _means(facts.get("previous") or "", here):
        return True
    return any(here.sighting(row) for row in orjson.loads(facts.get("identifiers") or "[]"))


def _means(previous: str, scrub: Scrub) -> bool:
    return scrub.names("user_id", previous) or scrub.names("anonymous_id", previous)


def _without_sightings(text: str | None, scrub: Scrub) -> str | None:
    if text is None:
        return None
    rows = orjson.loads(text)
    kept = [row for row in rows if not scrub.sighting(row)]
    return text if len(kept) == len(rows) else orjson.dumps(kept).decode()


def _json_text(text: str | None, change: Callable[[Json], Json]) -> str | None:
    if text is None:
        return None
    value: Json = orjson.loads(text)
    after = change(value)
    return text if after == value else orjson.dumps(after).decode()


def _redacted(value: Json, scrub: Scrub) -> Json:
    """A value whose shape stays: texts lose what they mention."""
    match value:
        case dict():
            return {scrub.text(name): _redacted(each, scrub) for name, each in value.items()}
        case list():
            return [_redacted(each, scrub) for each in value]
        case str():
            return scrub.text(value)
        case _:
            return ERASED if scrub.is_value(value) else value


def _of_account(facts: Row, scrub: Scrub) -> dict[str, object]:
    stated = msgspec.json.decode(facts.get("stated") or "{}")
    traits = msgspec.json.decode(facts.get("traits") or "{}")
    after = {
        "stated": msgspec.json.encode(_redacted(stated, scrub)).decode(),
        "traits": canonical(_redacted(traits, scrub)),
        "name": scrub.text(facts["name"]) if facts.get("name") else None,
        "domain": scrub.text(facts["domain"]) if facts.get("domain") else None,
    }
    unlike = {"stated": _redacted(stated, scrub) != stated, "traits": _redacted(traits, scrub) != traits}
    return {name: value for name, value in after.items() if unlike.get(name, value != facts.get(name))}


def _of_thing(facts: Row, scrub: Scrub) -> dict[str, object]:
    value: Json = msgspec.json.decode(facts.get("facts") or "{}")
    after = scrub.json(value)
    return {} if after == value else {"facts": canonical(after)}


def _of_note(facts: Row, scrub: Scrub) -> dict[str, object]:
    note = facts.get("note")
    return {"note": scrub.text(note)} if note and scrub.text(note) != note else {}


def _of_run(facts: Row, scrub: Scrub) -> dict[str, object]:
    file = facts.get("file")
    return {"file": scrub.text(file)} if file and scrub.text(file) != file else {}


def renamed_messages(facts: Row, scrub: Scrub, hashing: Hashing) -> dict[str, object]:
    """The ids of messages that a record names, where they tell a value."""
    after: dict[str, object] = {}
    if message := facts.get("message"):
        after["message"] = hashing.renamed(message, scrub)
    if messages := facts.get("messages"):
        after["messages"] = [hashing.renamed(each, scrub) for each in messages]
    return {name: value for name, value in after.items() if value != facts[name]}


def _of_letter(facts: Row, scrub: Scrub) -> dict[str, object]:
    """What could not be read cannot be taken apart: the text of a letter in which a value stands goes as a whole."""
    texts = {name: facts[name] for name in ("sentence", "place", "message_id") if facts.get(name)}
    after: dict[str, object] = {name: scrub.text(text) for name, text in texts.items() if scrub.text(text) != text}
    return {**after, "raw": ERASED} if facts.get("raw") and _holds(facts["raw"], scrub) else after


def _holds(raw: str, scrub: Scrub) -> bool:
    folded = raw.casefold()
    return any(form in folded for each in scrub.forms for form in (each, json.dumps(each)[1:-1].casefold()))


SCRUBBED: Mapping[str, Callable[[Row, Scrub], dict[str, object]]] = {
    "Account": _of_account,
    "Order": _of_thing,
    "Deal": _of_thing,
    "Ticket": _of_thing,
    "Campaign": _of_thing,
    "Product": _of_thing,
    "Act": _of_note,
    "AccountAct": _of_note,
    "Change": _of_note,
    "DeadLetter": _of_letter,
    "Run": _of_run,
}
