"""Segment-shaped messages and bodies for the tests of the way in."""

from datetime import UTC, datetime

import orjson

from identity.messages import Json, Message, Rejection, SourceName
from loaders.segment_http import parse_batch
from loaders.sources import Source

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
WEB = Source(name=SourceName("web"), region="GB")


def item(kind: str = "track", **fields: Json) -> dict[str, Json]:
    named: dict[str, Json] = {"event": "Viewed"} if kind == "track" else {}
    return {"type": kind, "anonymousId": "a1", **named, **fields}


def body(*items: Json, **shared: Json) -> bytes:
    return orjson.dumps({"batch": list(items), **shared})


def read(*items: Json, **shared: Json) -> tuple[Message | Rejection, ...]:
    return parse_batch(body(*items, **shared), WEB, NOW)


def message(each: Json, **shared: Json) -> Message:
    (answer,) = read(each, **shared)
    assert isinstance(answer, Message), answer
    return answer


def rejection(each: Json) -> Rejection:
    (answer,) = read(each)
    assert isinstance(answer, Rejection), answer
    return answer


def pairs(answer: Message) -> list[tuple[str, str]]:
    return [(each.namespace, each.value) for each in answer.sightings]


def codes(answer: Message) -> list[tuple[str, str]]:
    return [(each.code, each.place) for each in answer.warnings]
