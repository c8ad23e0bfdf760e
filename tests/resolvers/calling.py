"""A caller of /graphql in the same process, and a Reader that counts its statements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from graph.connection import Connection, Reader, Row
from graph.keys import Scope
from graph.policies import PolicyHeld
from identity.messages import Json, moment
from resolvers.answering.endpoint import answered
from resolvers.viewer import Bounds, Viewer
from resolvers.world import World
from selfsame.clock import mint
from tests.building import default_policy
from tests.graph.erasing import HASHING
from tests.graph.world import MINUTE, START

JSON = "application/json"
NOW = START + 1_000 * MINUTE


@dataclass(frozen=True, slots=True)
class CountingReader(Reader):
    """A Reader that remembers its statements."""

    statements: list[str] = field(default_factory=list)

    async def rows(self, statement: str, **parameters: object) -> list[Row]:
        self.statements.append(statement)
        return await Reader.rows(self, statement, **parameters)


def now() -> datetime:
    return moment(NOW)


@dataclass(frozen=True)
class Caller:
    """Somebody with a key. scope: what the key may do. pii, accounts: as in Viewer."""

    world: World
    scope: Scope = Scope.READ
    bounds: Bounds = field(default_factory=Bounds)
    pii: bool = True
    accounts: tuple[str, ...] = ()
    name: str = "somebody"

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.scope, self.name, bounds=self.bounds, pii=self.pii, accounts=self.accounts)

    @property
    def statements(self) -> list[str]:
        assert isinstance(self.world.reader, CountingReader)
        return self.world.reader.statements

    async def send(self, body: bytes, content_type: str = JSON, accept: str = "*/*") -> Response:
        return await self._sent("POST", body, {"content-type": content_type, "accept": accept})

    async def post(self, query: str, accept: str = "*/*", **variables: Json) -> Response:
        return await self.send(orjson.dumps({"query": query, "variables": variables}), accept=accept)

    async def get(self, **parameters: str) -> Response:
        return await self._sent("GET", b"", {}, urlencode(parameters))

    async def ask(self, query: str, **variables: Json) -> Mapping[str, Json]:
        """The data of an answer without errors."""
        answer = read(await self.post(query, **variables))
        assert "errors" not in answer, answer
        return answer["data"]

    async def refused(self, query: str, **variables: Json) -> str:
        """The code of the only error of an answer."""
        (error,) = read(await self.post(query, **variables))["errors"]
        assert error["message"]
        return error["extensions"]["code"]

    async def problem(self, query: str, **variables: Json) -> str:
        """The code of the only problem that mutations answered as data; they ask for it."""
        (answer,) = (await self.ask(query, **variables)).values()
        assert isinstance(answer, dict)
        assert answer["sentence"]
        return str(answer["code"])

    async def _sent(self, method: str, body: bytes, headers: Mapping[str, str], query: str = "") -> Response:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        scope = {
            "type": "http",
            "method": method,
            "path": "/graphql",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        return await answered(Request(scope, receive), self.viewer, self.world)


def read(answer: Response) -> dict[str, dict]:
    return orjson.loads(bytes(answer.body))


def caller(graph: Connection, scope: Scope = Scope.READ) -> Caller:
    """A caller of a service on this graph whose clock stands at NOW."""
    reader = CountingReader(graph.reader.driver, graph.reader.database, graph.reader.bookmarked)
    return Caller(
        World(reader, graph.writer, default_policy(), PolicyHeld(default_policy()), now, mint, HASHING), scope
    )
