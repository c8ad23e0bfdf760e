"""Taking the values of the erased out of what others said and did; a record that is rewritten stays where it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from graph.connection import Transaction
from graph.pseudonyms import judge_renamed, keep_names, names_told, names_told_by_account, pseudonyms
from graph.scrubbed_observations import scrub_observations
from graph.scrubbed_records import (
    SCRUBBED,
    is_carrier,
    json_text,
    redacted,
    renamed_messages,
    scrubbed_interaction,
    scrubbed_version,
)
from identity.erasure import Hashing, Scrub
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import MessageId

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
MATCH (i:Identifier {key: identifier})<-[:OF|WAS_OF]-(n:Observation)
USING INDEX SEEK i:Identifier(key)
RETURN n.key AS key
"""

# identifier_key (unique), then two expands per identifier
SIGHTINGS = """
UNWIND $keys AS key
MATCH (n:Identifier {key: key})
USING INDEX SEEK n:Identifier(key)
RETURN key, n.folded AS folded, CASE WHEN n.minted_by IS NULL THEN [] ELSE [n.minted_by] END
  + COLLECT { MATCH (n)-[link:LINKED]->() RETURN DISTINCT link.message } AS messages,
  COLLECT { MATCH (n)-[member:MEMBER_OF]->() RETURN DISTINCT member.role } AS roles
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

# identifier_key (unique), in the order of keys, then one expand per identifier
REWRITE_IDENTIFIERS = """
UNWIND $rows AS row
MATCH (n:Identifier {key: row.key})
USING INDEX SEEK n:Identifier(key)
SET n.folded = row.folded
WITH n, row
UNWIND row.roles AS role
MATCH (n)-[member:MEMBER_OF {role: role[0]}]->()
SET member.role = role[1]
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
REMOVE n.swept, n.sweeping
"""

# policy_version_number (unique): as many rows as there are versions
VERSIONS = """
MATCH (v:PolicyVersion)
USING INDEX SEEK v:PolicyVersion(number)
WHERE v.number > 0
RETURN v.number AS number, v.state AS state, coalesce(v.note, '') AS note, coalesce(v.text, '') AS text
"""

# policy_version_number (unique)
REWRITE_VERSIONS = """
UNWIND $rows AS row
MATCH (v:PolicyVersion {number: row.number})
USING INDEX SEEK v:PolicyVersion(number)
SET v += row.facts
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
        "FeedEntry": "id",
        "DeadLetter": "id",
        "Run": "id",
        "FormerId": "id",
    }.items()
}


@dataclass(slots=True)
class Scrubbed:
    """What was rewritten. devices: shared ones whose uses may be others now; profiles: whose traits may be.

    policies: the versions of the policy that name a value and have to stay as they are.
    """

    count: int = 0
    policies: set[int] = field(default_factory=set)
    devices: set[IdentifierKey] = field(default_factory=set)
    profiles: set[ProfileId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """The work in one transaction: what is taken out, and how messages are remembered. now: µs."""

    tx: Transaction
    scrub: Scrub
    hashing: Hashing
    done: Scrubbed
    now: int

    async def records(self, label: str, keys: Sequence[str]) -> None:
        """Rewrite records of one label; those that are gone since, or hold no value, are passed over."""
        match label:
            case "Interaction":
                await self.interactions(keys)
            case "Observation":
                await self._observations(keys, self.scrub.telling())
            case "Identifier":
                await self._identifiers(keys)
            case "Segment":
                await self._segments(keys)
            case _:
                await self._others(label, keys)

    async def versions(self) -> None:
        """Rewrite what versions of the policy tell, which are few: the notes, and the texts of those that are past."""
        scrub = self.scrub.telling()
        changed = []
        for row in await self.tx.rows(VERSIONS):
            facts = scrubbed_version(row, scrub)
            changed += [{"number": row["number"], "facts": facts}] if facts else []
            if "text" not in facts and scrub.text(row["text"]) != row["text"]:
                self.done.policies.add(row["number"])
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
        naming = self.scrub.telling()
        said = [orjson.loads(row["facts"]["account"]) for row in rows if row["facts"].get("account")]
        told = (names_told_by_account(each, naming) for each in said)
        await keep_names(self.tx, [key for each in told for key in each.values()], self.hashing)
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

    async def _identifiers(self, keys: Sequence[str]) -> None:
        """What identifiers of others tell: by which messages they and their links are known, what they fold to."""
        rows = await self.tx.rows(SIGHTINGS, keys=list(keys))
        scrub = self.scrub.telling()
        renamed = [
            {"key": row["key"], "renamed": each}
            for row in rows
            if (each := _changed(row["messages"], lambda id_: self.hashing.renamed(id_, scrub)))
        ]
        told = [
            {"key": row["key"], "folded": folded, "roles": roles}
            for row in rows
            for folded in [None if scrub.is_value(row["folded"]) else row["folded"]]
            if (roles := _changed(row["roles"], scrub.text)) or folded != row["folded"]
        ]
        if renamed:
            await self.tx.rows(RENAME_SIGHTINGS, rows=renamed)
        if told:
            await self.tx.rows(REWRITE_IDENTIFIERS, rows=told)
        self.done.count += len({row["key"] for row in (*renamed, *told)})

    async def _segments(self, names: Sequence[str]) -> None:
        """A segment that asks for a value asks for nobody from then on; one named after it has a name of its own."""
        scrub = self.scrub.telling()
        changed: list[Mapping[str, object]] = []
        for row in await self.tx.rows(SEGMENTS, keys=list(names)):
            name, definition = row["key"], row["definition"]
            after = {"definition": json_text(definition, lambda value: redacted(value, scrub)), "name": name}
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
        names = {row["key"]: names_told(label, row["facts"], scrub) for row in rows}
        instead = [self.hashing.pseudonym(told["key"]) for told in names.values() if "key" in told]
        taken = [row["key"] for row in await self.tx.rows(read, keys=instead)] if instead else []
        changed = []
        for row in rows:
            facts = SCRUBBED[label](row["facts"], scrub) | renamed_messages(row["facts"], scrub, self.hashing)
            facts |= pseudonyms(names[row["key"]], taken, self.hashing)
            changed += [{"key": row["key"], "facts": _valued(label, facts)}] if facts else []
        if changed:
            await self.tx.rows(rewrite, rows=changed)
            await keep_names(self.tx, [key for told in names.values() for key in told.values()], self.hashing)
            now = [str(each["facts"]["key"]) for each in changed if "key" in each["facts"]]
            await judge_renamed(self.tx, label, now, self.now)
            self.done.count += len(changed)


def _valued(label: str, facts: dict[str, object]) -> dict[str, object]:
    """An account has the second half of its key besides."""
    return {**facts, "value": str(facts["key"]).partition(":")[2]} if label == "Account" and "key" in facts else facts


def _changed(texts: Iterable[str | None], change: Callable[[str], str]) -> list[list[str]]:
    """Of texts those that are others then, each with what it is then."""
    return [[each, after] for each in texts if each is not None and (after := change(each)) != each]
