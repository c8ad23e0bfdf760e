"""Snowplow's addresses: a payload, a pixel, and where a tracker carries its key."""

import orjson
import pytest

from graph.connection import Connection
from graph.dead_letters import dead_letters
from identity.messages import Json
from tests.walks.service import Company, in_process, taken

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

TP2 = "/com.snowplowanalytics.snowplow/tp2"


def event(eid: str, **more: str) -> dict[str, str]:
    return {"e": "se", "se_ac": "Viewed", "duid": "a1", "eid": eid, **more}


async def post(company: Company, *events: Json, path: str = TP2, **headers: str) -> dict[str, Json]:
    body = orjson.dumps({"schema": "iglu:x/payload_data/jsonschema/1-0-4", "data": list(events)})
    return taken(await company.http.post(path, content=body, headers=headers))


async def test_a_trackers_key_is_in_the_header_the_address_or_the_app_id(graph: Connection) -> None:
    async with in_process(graph) as company:
        key = company.write_key
        assert (await post(company, event("e1", aid="shop"), path=f"/{key}{TP2}"))["committed"] == 1
        assert (await post(company, event("e1", aid=key)))["repeat_differs"] == 1
        assert (await post(company, event("e1", aid="shop"), authorization=f"Bearer {key}"))["repeat"] == 1
        for path in (f"/{key}/i", "/i"):
            pixel = await company.http.get(path, params=event("e2", aid=key, uid="u1"))
            assert (pixel.status_code, pixel.headers["content-type"], pixel.content[:4]) == (200, "image/gif", b"GIF8")
        for refused in (await company.http.get("/i", params=event("e3")), await company.http.get("/nobody/i")):
            assert refused.status_code == 401
        leave = await company.http.options(TP2, headers={"origin": "https://shop.example"})
        assert leave.headers["access-control-allow-origin"] == "https://shop.example"
        assert await company.events() == {"a1 u1": ("Viewed", "Viewed")}


async def test_a_bad_event_is_a_dead_letter_beside_good_ones(graph: Connection) -> None:
    async with in_process(graph) as company:
        answer = await post(company, {"e": "pv"}, event("e1", aid=company.write_key), path=f"/{company.write_key}{TP2}")
        assert (answer["committed"], [each["place"] for each in answer["rejected"]]) == (1, ["data[0]"])
        pixel = await company.http.get(f"/{company.write_key}/i", params={"e": "pp"})
        assert pixel.status_code == 200
        assert len(await dead_letters(graph.reader)) == 2
