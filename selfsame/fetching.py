"""The rest of records that a webhook only named, fetched in the background and told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio.to_thread
import msgspec

from graph.connection import Connection
from graph.dead_letters import ReadBy, record_dead_letters
from graph.fetches import PendingFetch, due_fetches, end_fetch, put_off
from identity.erasure import Hashing
from identity.messages import Json, Rejection
from loaders.committing import Commit, commit_many
from loaders.fetching import NotFetchedError, fetch
from loaders.formats.records import Found
from loaders.translating import translated
from loaders.webhook_rules import FETCHED
from loaders.wire import bounded, json_value
from selfsame.hooks import Hook
from selfsame.telemetry import log

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
GIVEN_UP = timedelta(days=30)
DOUBLINGS = 6  # a minute becomes an hour


@dataclass(frozen=True, slots=True)
class Fetching:
    """What fetching needs: which webhooks heard, and where what is told goes."""

    connection: Connection
    hooks: Mapping[str, Hook]
    commit: Commit
    now: Callable[[], datetime]
    hashing: Hashing | None = None

    async def fetch_due(self) -> int:
        """Fetch what is due and tell it; how many records were told.

        One that cannot be fetched is tried again, after a minute, two, four … up to an hour; after thirty days it is
        told as the webhook named it. Twice is once: what was told is known. Raises DatabaseAwayError.
        """
        told = 0
        for each in await due_fetches(self.connection.reader, self.now()):
            told += await self._one(each)
        return told

    async def _one(self, waiting: PendingFetch) -> bool:
        hook = self.hooks.get(waiting.webhook)
        record = json_value(waiting.record.encode())
        address = None
        if hook is not None and hook.webhook.fetch is not None:
            address = hook.webhook.fetch.address(record, hook.api_url)
        if hook is None or hook.api_token is None or not isinstance(record, dict):
            await self._put_off(waiting, "no webhook with a token is set for it")
            return False
        try:
            answer = await _fetched(address, hook.api_token)
        except NotFetchedError as error:
            if self.now() - waiting.at < GIVEN_UP:
                await self._put_off(waiting, str(error))
                return False
            log().error("what a webhook named cannot be fetched and is told without it", source=waiting.source)
            answer = None
        await self._told(waiting, record if answer is None else {**record, FETCHED: answer}, hook)
        return True

    async def _put_off(self, waiting: PendingFetch, why: str) -> None:
        pause = min(FIRST_WAIT * 2 ** min(waiting.tries, DOUBLINGS), LONGEST_WAIT)
        log().warning("what a webhook named cannot be fetched yet", source=waiting.source, reason=why)
        await put_off(self.connection.writer, waiting.id, self.now() + pause)

    async def _told(self, waiting: PendingFetch, record: Json, hook: Hook) -> None:
        """Commit what a record gives, and keep what it does not; then it waits no longer."""
        found = Found(record, waiting.place, msgspec.json.encode(record).decode())
        read = translated(found, hook.mapping, waiting.at)
        outcomes = await commit_many(self.commit, read.messages)
        refused = [each.rejection for each in outcomes if each.rejection is not None]
        rejected = [] if read.rejection is None else [read.rejection]
        rejected += [replace(each, place=found.place, raw=bounded(found.raw)) for each in refused]
        await self._kept(rejected, hook)
        await end_fetch(self.connection.writer, waiting.id)

    async def _kept(self, rejected: Sequence[Rejection], hook: Hook) -> None:
        by = ReadBy(hook.mapping.file, hook.mapping.sha256, (), hook.name)
        source, writer = hook.mapping.source.name, self.connection.writer
        await record_dead_letters(writer, source, rejected, self.now(), self.hashing, read_by=by)


async def _fetched(address: str | None, token: str) -> Json:
    """The answer, asked for in a thread; None for a record that lacks nothing under the mapping of today."""
    return None if address is None else await anyio.to_thread.run_sync(fetch, address, token, abandon_on_cancel=True)
