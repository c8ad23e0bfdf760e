"""What people agreed to, and audiences of those who did, over GraphQL."""

import orjson
import pytest

from graph.connection import Connection
from graph.rebuild import verify
from graph.segments import define_segment
from identity.messages import Json, Message, SourceName
from insight.segments import All, Comparison, TraitIs
from loaders.segment_messages import Sending, message_from
from loaders.sources import Source
from tests.building import RECEIVED, default_policy
from tests.graph.telling import telling
from tests.graph.world import START, World
from tests.resolvers.calling import caller

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
CONSENTS = """{ profile(by: { identifier: { namespace: "user_id", value: "u1" } }) {
  consents { purpose granted at source message others { value source } } } }"""


def sent(id_: str, at: str, preferences: dict[str, Json], **who: Json) -> Message:
    """A message of the consent manager in the page."""
    said = {"type": "track", "event": "Segment Consent Preference Updated", "messageId": id_, "timestamp": at, **who}
    text = orjson.dumps({**said, "context": {"consent": {"categoryPreferences": preferences}}})
    message = message_from(text, "body", Sending(Source(name=SourceName("web")), RECEIVED))
    assert isinstance(message, Message)
    return message


async def test_what_somebody_agreed_to_as_a_visitor_is_hers_once_she_is_known(graph: Connection) -> None:
    teller = await telling(graph, default_policy())
    await teller.tell(
        [
            sent("m1", "2026-01-01T00:00:00Z", {"Ads": True, "Functional": True}, anonymousId="a1"),
            sent("m2", "2026-01-02T00:00:00Z", {"Ads": False}, anonymousId="a1", userId="u1"),
        ]
    )
    found = (await caller(graph).ask(CONSENTS))["profile"]["consents"]
    no = {"purpose": "Ads", "granted": False, "at": "2026-01-02T00:00:00Z", "source": "web", "message": "web:m2"}
    yes = {"purpose": "Functional", "granted": True, "at": "2026-01-01T00:00:00Z", "source": "web", "message": "web:m1"}
    assert found == [{**no, "others": [{"value": True, "source": "web"}]}, {**yes, "others": []}]
    assert await verify(graph.reader, default_policy()) == ()


AUDIENCE = "{ audience(segment: %s, purpose: %s) { segment { name } purpose size withoutConsent floor } }"


@pytest.mark.parametrize(
    ("agreed", "people", "size", "rest"), [(20, 45, 20, 25), (19, 45, None, None), (30, 45, None, None), (0, 21, 0, 21)]
)
async def test_an_audience_is_counted_where_neither_part_of_it_is_small(
    graph: Connection, agreed: int, people: int, size: int | None, rest: int | None
) -> None:
    made = World()
    for number in range(people):
        made.person(f"p{number:02d}", f"user_id:{number}", city="Oslo")
        if number < agreed:
            made.observed(f"user_id:{number}", "consent.Ads", value=True, message=f"web:{number}")
            made.observed(f"user_id:{number}", "consent.Other", value=False, message=f"web:{number}")
    await made.person("away", "user_id:away", city="Bergen").write(graph.writer)
    await define_segment(graph.writer, "osloers", TraitIs("city", Comparison.EQUALS, "Oslo"), START)
    found = await caller(graph).ask(AUDIENCE % ('"osloers"', '"Ads"'))
    told = {"segment": {"name": "osloers"}, "purpose": "Ads", "size": size, "withoutConsent": rest, "floor": 20}
    assert found == {"audience": told}


async def test_an_audience_of_no_segment_is_null_and_of_one_that_cannot_be_asked_an_error(graph: Connection) -> None:
    me = caller(graph)
    await define_segment(graph.writer, "old", All((TraitIs("shoe_size", Comparison.EXISTS, value=True),)), START)
    assert await me.ask(AUDIENCE % ('"none"', '"Ads"')) == {"audience": None}
    assert await me.refused(AUDIENCE % ('"old"', '"Ads"')) == "segment_invalid"
