"""Who may listen, and what tells those who do: the front door of WebSockets and streams, and the feed's own work."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio

from graph.connection import Connection
from graph.feed import drop_entries, feed_standing, number_entries
from graph.keys import ApiKey
from resolvers.answering.socket import Door
from resolvers.answering.told import Told
from resolvers.feed import Feed
from resolvers.viewer import Viewer
from resolvers.world import World
from selfsame.access import KeyRing, secret_in
from selfsame.browsing import is_own, may_ask
from selfsame.guests import Guests
from selfsame.origins import Origins
from selfsame.refusals import Refusal
from selfsame.telemetry import log

LIVE_SECONDS = 0.05
IDLE_SECONDS = 1.0  # while nobody listens in this process; another one may
STUCK_SECONDS = 30.0
DROP_SECONDS = 300.0
RETENTION = timedelta(days=3)


def door_of(
    keys: KeyRing, guests: Guests, readers: Origins, world: Callable[[], World], told: Callable[[Told], None]
) -> Door:
    """The front door of WebSockets. readers: the pages that may ask with a key that names none; told: of operations."""

    async def admit(headers: Mapping[str, str], address: str | None) -> Viewer | None:
        key = await keys.known(secret_in(headers), address)
        return None if isinstance(key, Refusal) or not _may_ask(headers, key, readers) else guests.viewer(key)

    async def still(headers: Mapping[str, str]) -> bool:
        return await still_known(keys, headers)

    return Door(admit, still, world, told=told)


def _may_ask(headers: Mapping[str, str], key: ApiKey, readers: Origins) -> bool:
    """Whether the page that opens a WebSocket may ask with a key; no browser asks before it opens one."""
    origin = headers.get("origin")
    return origin is None or is_own(origin, headers) or may_ask(origin, key, readers)


async def still_known(keys: KeyRing, headers: Mapping[str, str]) -> bool:
    """Whether the key in some headers opens what it did; while nobody can tell, it does."""
    try:
        return not isinstance(await keys.known(secret_in(headers)), Refusal)
    except Exception:  # noqa: BLE001 - the edge: who listens is not sent away because the database is
        return True


@dataclass(slots=True)
class Telling:
    """The work behind the feed, done by each process: entries are numbered, told to who listens, dropped when old."""

    connection: Connection
    feed: Feed
    now: Callable[[], datetime]
    retention: timedelta = RETENTION
    numbered: float = field(default=0.0, init=False)
    dropped: float = field(default=0.0, init=False)

    async def go_on(self) -> None:
        """Do what is due; to be called again after a moment.

        Raises DatabaseAwayError, and TimeoutError where an answer of Neo4j's is lost on its way: else all who listen
        would wait as long as other work in the background may take.
        """
        if self.feed.listened or time.monotonic() - self.numbered >= IDLE_SECONDS:
            with anyio.fail_after(STUCK_SECONDS):
                await self._tell()
        if time.monotonic() - self.dropped >= DROP_SECONDS:
            self.dropped = time.monotonic()
            while many := await drop_entries(self.connection, self.now() - self.retention):
                log().info("what happened long ago is no longer told", entries=many)

    async def _tell(self) -> None:
        """Number what waits and read what is new: one statement where there is neither."""
        standing = await feed_standing(self.connection.reader)
        if standing.waits:
            await number_entries(self.connection)
        self.numbered = time.monotonic()
        await self.feed.read(None if standing.waits else standing.last)
