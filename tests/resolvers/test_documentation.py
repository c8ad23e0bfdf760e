"""Every query in these pages is answered as the page says, by the real Neo4j that was told its story."""

import re
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from graph.connection import Connection
from graph.keys import Scope
from identity.evidence import ActKind
from identity.messages import Authority, Message
from tests.building import act, default_policy, identify, track
from tests.graph.telling import telling
from tests.resolvers.calling import caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"```graphql\n(?P<query>.*?)```\n+```json\n(?P<answer>.*?)```", re.DOTALL)
DAY = 24 * 60


async def told(graph: Connection) -> None:
    """Ann's record and her browser, Bob who shares an address with her, a till that was told from her by hand."""
    teller = await telling(graph, default_policy())
    await teller.tell(
        [
            _record(
                identify("ann", email="ann@x.com", traits={"name": "Ann Lee", "plan": "basic"}, source="crm", id="r1")
            ),
            identify(email="ann@x.com", on="a1", at=DAY, id="m1"),
            identify("ann", on="a1", traits={"name": "Annie", "plan": "gold"}, at=2 * DAY, id="m2"),
            identify("ann", email="home@x.com", at=3 * DAY, id="m3"),
            identify("bob", email="home@x.com", traits={"plan": "basic"}, at=4 * DAY, id="m4"),
            track(on="till", at=5 * DAY, id="m5"),
        ]
    )
    apart = act(ActKind.DIFFERENT, "anonymous_id:till", "user_id:ann", at=6 * DAY, id="d1")
    await teller.decide(replace(apart, by="carla"))
    await teller.tell([identify("ann", on="till", at=7 * DAY, id="m6")])


def _record(message: Message) -> Message:
    """The message as one record of a file, all of whose identifiers are keys."""
    keys = (replace(each, authority=Authority.IMPORTED, record_key=True) for each in message.sightings)
    return replace(message, sightings=tuple(keys), authority=Authority.IMPORTED)


@pytest.mark.parametrize(("page", "examples"), [("explanations.md", 7), ("merging.md", 2)])
async def test_the_page_says_what_the_service_answers(graph: Connection, page: str, examples: int) -> None:
    await told(graph)
    asked = EXAMPLE.findall((DOCS / page).read_text("utf-8"))
    assert len(asked) == examples
    for query, answer in asked:
        scope = Scope.STEWARD if "mutation" in query or "unmergePreview" in query else Scope.READ
        assert await caller(graph, scope).ask(query) == orjson.loads(answer), query
