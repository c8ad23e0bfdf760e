"""How long a list is: counted only when asked, right wherever it is asked, and no further than to the cap."""

import pytest

from graph.connection import Connection
from graph.counting import MOST_COUNTED, count_of_interactions, count_of_sessions
from identity.identifiers import ProfileId
from resolvers.answering.executing import EXECUTABLE
from tests.graph.world import MINUTE, START
from tests.resolvers.calling import caller
from tests.resolvers.people import crowd, family

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

COUNTED = "totalCount totalCountCapped edges { cursor }"
LISTS = f"""
{{
  profiles(first: 100) {{ {COUNTED} }}
  found: profiles(first: 100, search: "oslo") {{ {COUNTED} }}
  known: profiles(first: 100, filter: {{known: true}}) {{ {COUNTED} }}
  changes(first: 100) {{ {COUNTED} }}
  profile(by: {{identifier: {{namespace: "user_id", value: "1"}}}}) {{
    identifiers {{ {COUNTED} }}
    colleagues {{ {COUNTED} }}
    interactions {{ {COUNTED} }}
    named: interactions(filter: {{names: ["Product Viewed"]}}) {{ {COUNTED} }}
    sessions {{ {COUNTED} }}
    history {{ {COUNTED} }}
    household {{ {COUNTED} }}
    suggestions {{ {COUNTED} }}
    accounts {{ {COUNTED} edges {{ node {{ account {{
      members {{ {COUNTED} }}
      deals {{ {COUNTED} }}
      parent {{ children {{ {COUNTED} }} members(depth: 2) {{ {COUNTED} }} }}
    }} }} }} }}
    sharedIdentifiers {{ {COUNTED} edges {{ node {{ identifier {{
      sharedWith {{ {COUNTED} }}
      profile {{ sharedBy {{ {COUNTED} }} }}
    }} }} }} }}
  }}
}}
"""


def lists(answer: object) -> list[dict[str, object]]:
    """Every connection in an answer."""
    match answer:
        case dict():
            inner = [found for each in answer.values() for found in lists(each)]
            return [answer, *inner] if "totalCount" in answer else inner
        case list():
            return [found for each in answer for found in lists(each)]
    return []


async def test_every_list_is_as_long_as_it_says(graph: Connection) -> None:
    await crowd(5).write(graph.writer)
    found = lists(await caller(graph).ask(LISTS))
    assert len(found) == 20
    assert [each["totalCount"] for each in found] == [len(each["edges"]) for each in found]  # type: ignore[arg-type]
    assert {each["totalCountCapped"] for each in found} == {False}


def test_every_connection_of_the_schema_can_say_how_long_it_is() -> None:
    connections = [kind for name, kind in EXECUTABLE.type_map.items() if "pageInfo" in getattr(kind, "fields", ())]
    assert connections
    assert [kind.name for kind in connections if "totalCount" not in kind.fields] == []


async def test_nothing_is_counted_that_nobody_asks_for(graph: Connection) -> None:
    await family().write(graph.writer)
    me = caller(graph)
    await me.ask('{ profile(by: {id: "anna"}) { interactions { edges { cursor } } devices { id } } }')
    assert len(me.statements) == 1


MANY = """
MATCH (i:Identifier {key: 'user_id:ben'})
UNWIND range(1, $number) AS minute
CREATE (:Interaction {id: 'x' + minute, actor: i.key, at: $start + minute * $hour, type: 'track', name: 'X'})-[:BY]->(i)
"""


async def test_counting_stops_at_the_cap_and_says_so(graph: Connection) -> None:
    await family().write(graph.writer)
    await graph.writer.command(MANY, number=MOST_COUNTED + 5, start=START, hour=60 * MINUTE)
    ben = ProfileId("ben")
    for counted in (
        (await count_of_interactions(graph.reader, [ben]))[ben],
        (await count_of_sessions(graph.reader, [ben], 30))[ben],
    ):
        assert (counted.number, counted.capped) == (MOST_COUNTED, True)
