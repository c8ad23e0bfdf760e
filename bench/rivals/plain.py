"""Starlette and orjson over the Cypher of the service, with nothing else: no schema, no key, no limit."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.rivals.answering import PORTRAIT, driver, portrait_of, serve
from resolvers.scalars import iso

GRAPH = driver()


async def _portrait(request: Request) -> Response:
    asked = orjson.loads(await request.body())["variables"]["value"]
    async with GRAPH.session(database="neo4j", default_access_mode="READ") as session:
        result = await session.run(*portrait_of(asked))
        record = await result.single(strict=True)
    row = dict(zip(PORTRAIT.columns, record[0][0], strict=True))
    profile = {
        "id": row["profile"]["id"],
        "known": row["profile"]["known"],
        "contacts": [{"namespace": each[2], "value": each[3]} for each in row["identifiers"] if each[4] == "Contact"],
        "devices": [
            {"namespace": each[2], "value": each[3], "firstSeen": iso(each[5]), "lastSeen": iso(each[6])}
            for each in row["identifiers"]
            if each[4] == "Device"
        ],
        "interactions": {
            "edges": [
                {
                    "node": {
                        "id": each[0],
                        "at": iso(each[2]),
                        "type": each[5].upper(),
                        "name": each[6],
                        "channel": each[7],
                    }
                }
                for each in row["newest"][:20]
            ]
        },
    }
    return Response(orjson.dumps({"data": {"profile": profile}}), media_type="application/json")


serve("Starlette", Starlette(routes=[Route("/graphql", _portrait, methods=["POST"])]))
