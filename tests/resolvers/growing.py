"""A graph with so many of everything that a list can hold, written in bulk; and a Reader that tells what it touched."""

from dataclasses import dataclass, field

from graph.connection import Connection, Reader, Row
from graph.packing import packed
from identity.messages import Json
from tests.graph.world import MINUTE, START, World
from tests.resolvers.people import KIOSK

SEGMENT = "everybody"
POINT = "phone:+4799887766"
OLDEST = "Signed Up"  # what Anna did first, and nobody ever again


def anna() -> World:
    """Anna, the accounts and what is shared around which all else grows, and of each rare thing the only one."""
    made = World().person("anna", "user_id:anna", "email:anna@all.no", "anonymous_id:a1", city="Oslo")
    made.person("kiosk", KIOSK, known=False, shared="partners").person("desk", POINT, known=False, shared="values")
    made.shares("anna", KIOSK, (1, 2)).shares("anna", POINT).account("account:all", "All").account("account:zz", "Zz")
    made.person("sam", "user_id:sam").person("ada", "user_id:ada")  # who uses and belongs to ever more
    made.account("account:team", "Team").member("user_id:anna", "account:team")  # all who are of `all` are of it
    made.member("user_id:anna", "account:all", "owner").person("zz", "user_id:zz", city="Bergen")
    made.rows["accounts"][-1].update(mail_domain="zz.no", last_seen=START - MINUTE)
    made.rows["profiles"][-1].update(first_seen=START - MINUTE, last_seen=START - MINUTE)
    made.member("user_id:zz", "account:zz")
    return made.did("user_id:anna", 0, OLDEST, id="web:first", type="alias")


ONCE = (
    """CREATE (:Segment {name: $segment, key: $segment, created_at: 1, changed_at: 1,
      definition: '{"interactions":{"atLeast":1,"name":"Paid"}}'})""",
    """CREATE (:WebhookEndpoint {id: 'hook', url: 'https://a.no', topics: [], secret: '', state: 'active',
      created_at: 1})""",
    "CREATE (:ApiKey {hash: 'h', scope: 'write', source: 'web', created_at: 1})",
    "CREATE (:Change {id: '000', at: $start - 1, kind: 'erased', cause: 'erasure', by: 'x', count: 1})",
)
# Of everything as many as there are numbers; each by itself, since later ones look for what earlier ones made. Ids are
# spread over each other, as those that are drawn at random are; but every fourth person is one of the newest, of an
# account, and shares things.
GROWING = (
    """CREATE (p:Profile {id: person, known: true, shared: false, first_seen: $start + number,
      last_seen: $start + number, t_city: 'Oslo', t_name: 'Kim ' + n})
    CREATE (i:Identifier:Contact {key: 'user_id:' + n, namespace: 'user_id', value: n, mint: person,
      minted_at: $start, first_seen: $start, last_seen: $start + number})-[:IDENTIFIES]->(p)
    CREATE (m:Identifier:ContactPoint {key: 'email:' + n + '+x@all.no', namespace: 'email', value: n + '+x@all.no',
      folded: n + '@all.no', mail_domain: 'all.no', mint: reverse(n) + 'm', minted_at: $start, first_seen: $start,
      last_seen: $start + number})-[:IDENTIFIES]->(p)""",
    """MATCH (i:Identifier {key: 'user_id:' + n}) MATCH (s:Segment {name: $segment})
    CREATE (i)-[:WAS_IN {entered: $start, of: $segment, who: i.mint}]->(s)""",
    """MATCH (i:Identifier {key: 'user_id:' + n}) MATCH (a:Account)
    WHERE a.key IN ['account:all', 'account:team'] AND number % 4 = 0
    CREATE (i)-[:MEMBER_OF {role: 'member', source: 'crm', from: $start, last_seen: $start, recorded_at: $start,
      who: i.key, of: a.key, mint: i.mint}]->(a)""",
    """MATCH (p:Profile {id: person}) MATCH (k:Identifier {key: $kiosk}) MATCH (d:Identifier {key: $point})
    WHERE number % 4 = 0
    CREATE (k)-[:SHARED_BY {first: $start, last: $start, spans: [$start + 3 * number, $start + 3 * number + 1],
      who: p.id, what: k.mint}]->(p)
    CREATE (d)-[:SHARED_BY {first: $start, last: $start, who: p.id, what: d.mint}]->(p)""",
    """CREATE (a:Account {key: 'account:a' + n, namespace: 'account', value: 'a' + n, name: 'Firm ' + n,
      mail_domain: 'all.no', traits: '{}', stated: '{}', first_seen: $start, last_seen: $start + number})
    WITH n, number, a MATCH (all:Account {key: 'account:all'}) MATCH (i:Identifier {key: 'user_id:ada'})
    CREATE (a)-[:PART_OF {first_seen: $start, authority: 'imported', source: 'crm', accepted: true}]->(all)
    CREATE (i)-[:MEMBER_OF {role: 'buyer', source: 'crm', from: $start, last_seen: $start + number,
      recorded_at: $start, who: i.key, of: a.key, mint: i.mint}]->(a)
    CREATE (:Deal {key: 'crm:' + n, at: $start, facts: '{}', told: true, account: 'account:all'})""",
    """MATCH (i:Identifier {key: 'user_id:anna'})
    CREATE (x:Interaction {id: 'web:' + n, actor: i.key, at: $start + (1 + number) * 60 * $minute,
      own_time: $start, received_at: $start, type: 'track', name: 'Paid', channel: 'web', source: 'web'})-[:BY]->(i)
    CREATE (y:Interaction {id: 'web:o' + n, actor: i.key, at: $start + (1 + number) * 60 * $minute + 1,
      own_time: $start, received_at: $start, type: 'track', name: 'Order Placed', channel: 'web', source: 'web'})
      -[:BY]->(i)
    CREATE (y)-[:ABOUT]->(:Order {key: 'web:' + n, at: $start, facts: '{}', told: true})""",
    """MATCH (i:Identifier {key: 'user_id:anna'})
    CREATE (:Change {id: n, at: $start + number, kind: 'moved', cause: 'messages', by: 'web', before: [], after: [],
      retired: [], messages: [], count: 1})-[:CONCERNS]->(i)
    CREATE (:Observation {key: 'o' + n, trait: 'city', value: '"' + n + '"', source: 'web', at: $start,
      message: 'web:' + n, sure: true, first_at: $start, first_message: 'web:' + n, count: 1, recorded_at: $start})
      -[:OF]->(i)""",
    """MATCH (p:Profile {id: 'sam'})
    CREATE (g:Identifier:Device {key: 'anonymous_id:g' + n, namespace: 'anonymous_id', value: 'g' + n,
      mint: reverse(n) + 'g', minted_at: $start, first_seen: $start, last_seen: $start, generic: 'values'})
      -[:SHARED_BY {first: $start + number, last: $start + number, who: p.id, what: reverse(n) + 'g'}]->(p)
    CREATE (g)-[:IDENTIFIES]->(:Profile {id: reverse(n) + 'g', known: false, shared: true, first_seen: 1,
      last_seen: 1})""",
    """CREATE (:WebhookDelivery {id: reverse(n), endpoint: 'hook', seq: number / 4, type: 'profile.changed',
      body: '{}', at: $start, tries: 0, due_at: $start + number})""",
    """CREATE (:Run {id: n, source: 'web', file: 'a.csv', sha256: '', mapping: null, given: '[]', state: 'finished',
      position: 1, read: 1, size: 1, records: 1, skipped: 0, rejected: 0, messages: 1, committed: 1, repeats: 0,
      differing: 0, warned: 0, erased: 0, started_at: $start + number, updated_at: $start + number, times: 1,
      taken_records: 0})""",
)


GIVEN = {"segment": SEGMENT, "start": START, "minute": MINUTE, "kiosk": KIOSK, "point": POINT}


async def begin(graph: Connection) -> None:
    """Anna and what else there is one of, in a graph that forgot how it planned its statements."""
    await graph.writer.command("CALL db.clearQueryCaches()")
    await anna().write(graph.writer)
    for statement in ONCE:
        await graph.writer.command(statement, **GIVEN)


async def grow(graph: Connection, start: int, end: int) -> None:
    """So many more of everything: those with the numbers from `start` up to `end`."""
    for statement in GROWING:
        await graph.writer.command(
            f"UNWIND range({start}, {end - 1}) AS number WITH number, right('000' + number, 4) AS n "
            f"WITH number, n, CASE number % 4 WHEN 0 THEN 'z' ELSE '' END + reverse(n) + 'p' AS person {statement}",
            **GIVEN,
        )


@dataclass(frozen=True, slots=True)
class ProfilingReader(Reader):
    """A Reader that remembers of each statement how often it touched the store, as Neo4j counts its db hits."""

    hits: list[int] = field(default_factory=list)

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        sent = packed(statement)
        async with self.driver.session(database=self.database) as session:
            result = await session.run(f"CYPHER replan=skip PROFILE {sent.text}", {"p": parameters})  # type: ignore[arg-type]  # as it is sent
            names = result.keys()
            found = [dict(zip(names, record, strict=True)) async for record in result]
            plan = (await result.consume()).profile
        assert plan is not None
        self.hits.append(_hits(plan))
        if not sent.columns:
            return list(found)
        return [dict(zip(sent.columns, each, strict=True)) for each in found[0]["packed"]]


def _hits(plan: dict[str, Json]) -> int:
    return plan.get("dbHits", 0) + sum(map(_hits, plan.get("children", [])))
