"""A crowd to read: 100,000 people with a million interactions, as the service would have left them.

Neo4j makes it itself from numbers, in two minutes; to send a million messages takes ten. Person n has a user id, an
email address and a browser, all linked, and two interactions; two people in five have 22, the newest as a logged-in
user and the rest on the browser.
"""

import asyncio
from collections.abc import Iterator

from graph.connection import Connection

PEOPLE = 100_000
TALKATIVE, TALKS, OTHERS = 40_000, 22, 2
AT_ONCE = 500
WRITERS = 2
START = 1_767_225_600_000_000  # 2026-01-01
MINUTE = 60_000_000

MADE = """
UNWIND range($low, $high) AS n
CREATE (person:Profile {
  id: 'person-' + n, known: true, shared: false, first_seen: $start + n, last_seen: $start + n + 30 * $minute,
  t_first_name: 'Given' + n, t_last_name: 'Family' + n, t_email: 'u' + n + '@mail.example'
})
CREATE (user:Identifier:Contact {
  key: 'user_id:u' + n, namespace: 'user_id', value: 'u' + n, mint: 'person-' + n, minted_at: $start + n,
  first_seen: $start + n, last_seen: $start + n + 30 * $minute, sighted: true
})-[:IDENTIFIES]->(person)
CREATE (email:Identifier:ContactPoint {
  key: 'email:u' + n + '@mail.example', namespace: 'email', value: 'u' + n + '@mail.example', mint: 'email-' + n,
  minted_at: $start + n, first_seen: $start + n, last_seen: $start + n, sighted: true, mail_domain: 'mail.example'
})-[:IDENTIFIES]->(person)
CREATE (browser:Identifier:Device {
  key: 'anonymous_id:a' + n, namespace: 'anonymous_id', value: 'a' + n, mint: 'browser-' + n, minted_at: $start + n,
  first_seen: $start + n, last_seen: $start + n + 30 * $minute, sighted: true
})-[:IDENTIFIES]->(person)
FOREACH (pair IN [[browser, user], [email, user], [browser, email]] |
  FOREACH (a IN [pair[0]] | FOREACH (b IN [pair[1]] |
    CREATE (a)-[:LINKED {
      kind: 'cooccur', authority: 'claimed', source: 'web', first_seen: $start + n, sure: true,
      last_seen: $start + n, count: 1, message: 'web:' + n + '-1', recorded_at: $start + n, accepted: true
    }]->(b))))
WITH n, user, browser
UNWIND range(1, CASE WHEN n <= $talkative THEN $talks ELSE $others END) AS k
CREATE (interaction:Interaction {
  id: 'web:' + n + '-' + k, actor: CASE WHEN k > 8 THEN user.key ELSE browser.key END,
  at: $start + n + k * $minute,
  own_time: $start + n + k * $minute, received_at: $start + n + k * $minute, recorded_at: $start + n + k * $minute,
  type: CASE WHEN k % 3 = 0 THEN 'track' ELSE 'page' END,
  name: CASE WHEN k % 3 = 0 THEN 'Product Viewed' ELSE 'Home' END,
  channel: 'web', source: 'web', properties: '{"url":"https://shop.example/"}'
})
FOREACH (actor IN CASE WHEN k > 8 THEN [user] ELSE [browser] END | CREATE (interaction)-[:BY]->(actor))
FOREACH (on IN CASE WHEN k > 8 THEN [browser] ELSE [] END | CREATE (interaction)-[:ON]->(on))
"""


async def crowd(connection: Connection) -> None:
    """Make it in an empty graph with today's schema."""
    chunks = iter(range(1, PEOPLE + 1, AT_ONCE))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(WRITERS):
            tasks.create_task(_made(connection, chunks))


async def _made(connection: Connection, chunks: Iterator[int]) -> None:
    for low in chunks:
        async with connection.driver.session() as session:
            await (
                await session.run(
                    MADE,
                    low=low,
                    high=low + AT_ONCE - 1,
                    start=START,
                    minute=MINUTE,
                    talkative=TALKATIVE,
                    talks=TALKS,
                    others=OTHERS,
                )
            ).consume()
