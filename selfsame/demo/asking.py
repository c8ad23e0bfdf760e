"""Asking GraphQL over HTTP as any program would: a POST with JSON and the reading key."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import anyio.to_thread
import msgspec

from selfsame.errors import CheckFailedError

PATIENCE_SECONDS = 30

T = TypeVar("T")


class _Error(msgspec.Struct):
    message: str


class _Answer(msgspec.Struct, Generic[T]):
    data: T | None = None
    errors: tuple[_Error, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who may read. url: of the service, without a slash at the end."""

    url: str
    read_key: str

    async def ask(self, query: str, shape: type[T]) -> T:
        """The data of the answer in a shape. Raises CheckFailedError when there is none, or any error beside it."""
        raw = await anyio.to_thread.run_sync(self._asked, query, abandon_on_cancel=True)
        try:
            answer: _Answer[T] = msgspec.json.decode(raw, type=_Answer[shape])  # type: ignore[valid-type] # made here
        except msgspec.ValidationError as error:
            raise CheckFailedError(f"/graphql answered something else than was asked for: {error}") from error
        if answer.errors or answer.data is None:
            sentence = answer.errors[0].message if answer.errors else "no data"
            raise CheckFailedError(f"/graphql could not answer: {sentence}")
        return answer.data

    def _asked(self, query: str) -> bytes:
        request = Request(  # noqa: S310 - the address is the service's own
            f"{self.url}/graphql",
            msgspec.json.encode({"query": query}),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.read_key}"},
        )
        try:
            with urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - as above
                return bytes(response.read())
        except HTTPError as error:
            raise CheckFailedError(
                f"/graphql answered {error.code}: {error.read().decode(errors='replace')}"
            ) from error
        except (URLError, TimeoutError) as error:
            raise CheckFailedError(f"/graphql does not answer: {error}") from error
