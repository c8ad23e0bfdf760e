"""A small world written straight into the graph, property by property as docs/graph.md says.

For readers only: whether ingestion writes it so is proved elsewhere.
"""

from dataclasses import dataclass, field

import msgspec

from graph.connection import Transaction, Writer
from identity.messages import Json

START = 1_767_225_600_000_000  # 2026-01-01
MINUTE = 60_000_000
ROLES = {"user_id": "Contact", "crm.id": "Contact", "email": "ContactPoint", "phone": "ContactPoint"}

WRITE = (
    "UNWIND $profiles AS row CREATE (p:Profile) SET p = row",
    """UNWIND $identifiers AS row
    MATCH (p:Profile {id: row.profile})
    CREATE (i:Identifier:$(row.role))-[:IDENTIFIES]->(p)
    SET i = row.facts""",
    "UNWIND $interactions AS row MATCH (i:Identifier {key: row.actor}) CREATE (x:Interaction)-[:BY]->(i) SET x = row",
    """UNWIND $observations AS row MATCH (i:Identifier {key: row.of})
    CREATE (o:Observation)-[:OF]->(i) SET o = row.facts""",
    """UNWIND $links AS row MATCH (a:Identifier {key: row.a}) MATCH (b:Identifier {key: row.b})
    CREATE (a)-[l:LINKED]->(b) SET l = row.facts""",
    """UNWIND $shares AS row MATCH (i:Identifier {key: row.key}) MATCH (p:Profile {id: row.profile})
    CREATE (i)-[s:SHARED_BY]->(p) SET s = row.facts""",
    "UNWIND $accounts AS row CREATE (a:Account) SET a = row",
    """UNWIND $members AS row MATCH (i:Identifier {key: row.key}) MATCH (a:Account {key: row.account})
    CREATE (i)-[m:MEMBER_OF]->(a) SET m = row.facts""",
    """UNWIND $parts AS row MATCH (c:Account {key: row.child}) MATCH (p:Account {key: row.parent})
    CREATE (c)-[r:PART_OF]->(p) SET r = row.facts""",
    "UNWIND $things AS row CREATE (t:$(row.label)) SET t = row.facts",
    """UNWIND $about AS row MATCH (i:Interaction {id: row.id}) MATCH (t:$(row.label) {key: row.key})
    CREATE (i)-[:ABOUT]->(t)""",
)


@dataclass
class World:
    """Rows to write; every method answers the world, so that they chain."""

    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, kind: str, row: dict[str, object]) -> "World":
        self.rows.setdefault(kind, []).append(row)
        return self

    def person(
        self,
        id: str,  # noqa: A002 -- the field
        *keys: str,
        known: bool = True,
        shared: str | None = None,
        **traits: Json,
    ) -> "World":
        """A profile and its identifiers; the first key's mint is the id, the others' are the id, a dash, a number.

        shared: why its identifier is generic.
        """
        facts = {
            "id": id,
            "known": known,
            "shared": shared is not None,
            "first_seen": START,
            "last_seen": START + MINUTE,
        }
        self.add("profiles", {**facts, **{f"t_{name}": value for name, value in traits.items()}})
        for number, key in enumerate(keys):
            self.add("identifiers", self._identifier(id, number, key, shared))
        for number, (name, value) in enumerate(traits.items()):
            self.observed(keys[0], name, value, message=f"web:trait-{id}-{number}")
        return self

    def _identifier(self, profile: str, number: int, key: str, generic: str | None) -> dict[str, object]:
        namespace, _, value = key.partition(":")
        facts = {
            "key": key,
            "namespace": namespace,
            "value": value,
            "mint": f"{profile}-{number}" if number else profile,
            "minted_at": START,
            "first_seen": START + number,
            "last_seen": START + MINUTE,
            "generic": generic,
        }
        return {"profile": profile, "role": ROLES.get(namespace, "Device"), "facts": facts}

    def did(
        self,
        actor: str,
        minute: float,
        name: str | None = "Product Viewed",
        id: str = "",  # noqa: A002 -- the field
        **more: object,
    ) -> "World":
        """An interaction so many minutes after the start."""
        at = START + round(minute * MINUTE)
        facts = {
            "id": id or f"web:{actor}-{minute:09.3f}-{name}",
            "actor": actor,
            "at": at,
            "own_time": at,
            "received_at": at,
            "type": "track",
            "name": name,
            "channel": "web",
            "source": "web",
        }
        return self.add("interactions", {**facts, **more})

    def observed(
        self, of: str, trait: str, value: Json, *, source: str = "web", message: str, at: int = START
    ) -> "World":
        facts = {
            "key": f"{of} {trait} {source} {value}",
            "trait": trait,
            "value": msgspec.json.encode(value).decode(),
            "source": source,
            "at": at,
            "message": message,
            "sure": True,
            "first_at": at,
            "first_message": message,
            "count": 1,
            "recorded_at": at,
        }
        return self.add("observations", {"of": of, "facts": facts})

    def linked(self, a: str, b: str, *, kind: str = "cooccur", reason: str | None = None, at: int = 0) -> "World":
        """A link first seen so many µs after the start."""
        facts = {
            "kind": kind,
            "authority": "claimed",
            "source": "web",
            "first_seen": START + at,
            "sure": True,
            "last_seen": START + at,
            "count": 1,
            "message": f"web:{a}{b}",
            "recorded_at": START,
            "accepted": reason is None,
            "reason": reason,
        }
        return self.add("links", {"a": min(a, b), "b": max(a, b), "facts": facts})

    def shares(self, profile: str, key: str, *spans: tuple[float, float]) -> "World":
        """A person uses a generic identifier; spans: minutes after the start."""
        edges = [START + round(edge * MINUTE) for span in spans for edge in span]
        mint = next(each["facts"]["mint"] for each in self.rows["identifiers"] if each["facts"]["key"] == key)
        facts = {"first": START, "last": START + MINUTE, "spans": edges or None, "who": profile, "what": mint}
        return self.add("shares", {"profile": profile, "key": key, "facts": facts})

    def account(self, key: str, name: str, parent: str | None = None, domain: str | None = None) -> "World":
        namespace, _, value = key.partition(":")
        facts = {"name": name, "domain": domain, "traits": '{"size":3}', "first_seen": START, "last_seen": START}
        if parent:
            accepted = {"first_seen": START, "authority": "imported", "source": "crm", "accepted": True}
            self.add("parts", {"child": key, "parent": parent, "facts": accepted})
        return self.add("accounts", {"key": key, "namespace": namespace, "value": value, **facts})

    def member(self, key: str, account: str, role: str | None = None, minute: float = 0) -> "World":
        at = START + round(minute * MINUTE)
        mint = next(each["facts"]["mint"] for each in self.rows["identifiers"] if each["facts"]["key"] == key)
        found_by = {"who": key, "of": account, "mint": mint}
        facts = {"role": role, "source": "crm", "from": START, "last_seen": at, "recorded_at": START, **found_by}
        return self.add("members", {"key": key, "account": account, "facts": facts})

    def thing(self, label: str, key: str, *events: str, account: str | None = None, **facts: Json) -> "World":
        """A thing that the interactions of these ids are about."""
        text = msgspec.json.encode(facts).decode()
        said = {"key": key, "at": START, "facts": text, "told": bool(facts), "account": account}
        for each in events:
            self.add("about", {"id": each, "label": label, "key": key})
        return self.add("things", {"label": label, "facts": said})

    async def write(self, writer: Writer) -> None:
        await writer.write(self._write)

    async def _write(self, transaction: Transaction) -> None:
        for statement in WRITE:
            name = statement.split("$", 1)[1].split(" ", 1)[0]
            await transaction.rows(statement, **{name: self.rows.get(name, [])})
