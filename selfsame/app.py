"""The service: its routes, and what lives as long as it does."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter

import anyio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from destinations.deliveries import Delivering
from graph.applying import finish_application
from graph.connection import Connection, pool_of
from graph.erasure import Tools, finish_erasures
from graph.errors import DatabaseAwayError
from graph.failures import kind_of, may_pass
from graph.health import answers, changes_since, dead_letters_kept, stock_of
from graph.idempotency import KEPT_MICROS, drop_keys
from graph.ingestion import Mint, Outcome, commit_batch
from graph.pending import anything_pending, drain_pending
from graph.policies import PolicyHeld, follow
from graph.requests import carry_out_due
from graph.segment_members import keep_members
from identity.erasure import Hashing
from identity.messages import Message, micros
from loaders.committing import SENT_IN, Commit
from loaders.errors import IntakeClosedError
from loaders.intake import Intake, Pace
from resolvers.answering.endpoint import answered
from resolvers.answering.events import streamed, wants_events
from resolvers.answering.socket import conversed
from resolvers.feed import Feed
from resolvers.joining import Joining
from resolvers.world import World
from selfsame.access import KeyRing, secret_in
from selfsame.answers import failed, refused, said
from selfsame.browsing import for_pages, page_refused
from selfsame.collecting import Answer, Collecting, Direct, Doors, address_of, guarded
from selfsame.explorer import Pages, led_to_page, pages_in
from selfsame.fetching import Fetching
from selfsame.guests import Edge, Guests, Strangers
from selfsame.hooks import Hook
from selfsame.live import DROP_SECONDS, LIVE_SECONDS, RETENTION, Telling, door_of, still_known
from selfsame.metrics import CONTENT_TYPE
from selfsame.openapi import openapi_text
from selfsame.origins import Origins
from selfsame.providers import Provider
from selfsame.questions import question_failed, question_refused
from selfsame.refusals import Refusal
from selfsame.telemetry import log
from selfsame.tokens import FRESH_SECONDS, Tokens
from selfsame.watching import KEY, Watch, Watched, known_as
from selfsame.webhooks import Hearing

DRAIN_SECONDS = 1.0
FOLLOW_SECONDS = 2.0
CARRY_OUT_SECONDS = 2.0
FETCH_SECONDS = 2.0
DELIVER_SECONDS = 1.0
MEMBERS_SECONDS = 1.0
FINISH_SECONDS = 15.0
FAULT_SECONDS = 60.0
NOTE_SECONDS = 60.0
READY_SECONDS = 5.0
# On a connection that was cut without a word the driver waits for ever, and whoever waits in the queue with it. A group
# takes milliseconds, on a machine that is starved some seconds.
COMMIT_SECONDS = 60.0
ENDING_SECONDS = 1.0
WORK_SECONDS = 3_600.0  # of background work, where a whole history may be heard anew


COUNT_SECONDS = 15.0
PLAN_SECONDS = 5.0
METRICS_KEY = Refusal(401, "metrics_key", "numbers need the key of SELFSAME_METRICS_KEY: `Authorization: Bearer <key>`")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is made of. policy: as this process knows it; now, mint: the clock and the source of ids.

    hashing: how the erased are known again; without it nothing can be erased. doors: which pages may send.
    hooks: what may be sent to /webhooks. open_traits: those that are nobody's personal data.
    provider: whose tokens are believed, beside keys. readers: the pages that may ask with a key that names none.
    retention: how long what happened can be told to who comes late. watch: what is seen of it all.
    edge: how much may be asked, and by whom of it.
    hooks_private: whether webhooks may go to this machine and its network.
    pages: GraphiQL; None where it is switched off.
    """

    connection: Connection
    policy: PolicyHeld
    now: Callable[[], datetime]
    mint: Mint
    pace: Pace | None = None
    hashing: Hashing | None = None
    doors: Doors = field(default_factory=Doors)
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    open_traits: frozenset[str] = frozenset()
    provider: Provider | None = None
    readers: Origins = field(default_factory=lambda: Origins(frozenset()))
    retention: timedelta = RETENTION
    watch: Watch = field(default_factory=Watch)
    edge: Edge = field(default_factory=Edge)
    hooks_private: bool = False
    pages: Pages | None = field(default_factory=pages_in)


def service(parts: Parts) -> Starlette:
    """The ASGI application: what `selfsame.openapi` describes."""
    intake = Intake(committing(parts), parts.pace)
    tokens = Tokens(parts.provider, parts.now) if parts.provider else None
    keys = KeyRing(parts.connection.reader, parts.now, tokens=tokens, strangers=Strangers(parts.edge.failing))
    guests = Guests(parts.edge)
    feed = Feed(parts.connection.reader)
    world = _worlds(parts, feed)
    collecting = Collecting(keys, intake, parts.connection.writer, parts.now, parts.hashing, parts.doors, guests)
    hearing = Hearing(parts.hooks, intake, parts.connection.writer, parts.now, parts.policy, parts.hashing)
    door = door_of(keys, guests, parts.readers, world, parts.watch.asked)
    routes = [
        Route(
            "/graphql",
            Direct(for_pages(guarded(_graphql(parts, keys, guests, world), question_failed))),
            methods=["GET", "POST", "OPTIONS"],
        ),
        *collecting.routes(),
        *hearing.routes(),
        *(parts.pages.routes() if parts.pages else ()),
        Route("/health/live", _live),
        Route("/openapi.json", _described),
        Route("/health/ready", _ready(parts)),
        Route("/metrics", _metrics(parts, intake, feed)),
    ]
    paths: dict[object, str] = {each.endpoint: each.path for each in routes}
    app = Starlette(
        routes=[*routes, WebSocketRoute("/graphql", partial(conversed, door=door))],
        middleware=[Middleware(Watched, watch=parts.watch, routes=paths)],
        lifespan=_lifespan(parts, intake, keys, feed),
    )
    app.state.feed, app.state.intake, app.state.busy = feed, intake, door.busy
    return app


def committing(parts: Parts) -> Commit:
    """How messages of any way in are committed."""

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        began = perf_counter()
        with anyio.fail_after(COMMIT_SECONDS), parts.watch.commit(SENT_IN.get()):
            outcomes = await commit_batch(
                parts.connection.writer, messages, parts.policy, parts.mint, parts.now(), hashing=parts.hashing
            )
        parts.watch.metrics.committed(outcomes, perf_counter() - began)
        return outcomes

    return commit


def _lifespan(
    parts: Parts, intake: Intake, keys: KeyRing, feed: Feed
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        ending = anyio.Event()
        delivering = Delivering(parts.connection, parts.now, parts.hooks_private)
        async with intake.opened(), delivering.opened(), anyio.create_task_group() as tasks:
            for seconds, work, waiting in BACKGROUND:
                tasks.start_soon(_until, ending, seconds, partial(_measured, parts, work), waiting)
            telling_endpoints = partial(_measured, parts, _telling(delivering))
            waits = "what endpoints of webhooks are owed has to wait"
            tasks.start_soon(_until, ending, DELIVER_SECONDS, telling_endpoints, waits)
            if keys.tokens is not None:
                waits = "the keys of tokens have to wait"
                tasks.start_soon(_until, ending, FRESH_SECONDS, keys.tokens.refresh, waits)
            noting = partial(keys.note, parts.connection.writer)
            tasks.start_soon(_until, ending, NOTE_SECONDS, noting, "when keys were used cannot be noted")
            telling = Telling(parts.connection, feed, parts.now, parts.retention).go_on
            tasks.start_soon(_until, ending, LIVE_SECONDS, telling, "what happens has to wait until it is told")
            yield
            feed.close()
            # What is cut off while it opens a connection leaves the driver's socket open: short work ends by itself.
            ending.set()
            tasks.cancel_scope.deadline = anyio.current_time() + ENDING_SECONDS

    return lifespan


async def _until(ending: anyio.Event, seconds: float, work: Callable[[], Awaitable[None]], waiting: str) -> None:
    """Do a piece of background work every so many seconds, until the service ends.

    What goes wrong is logged by its type and code, and tried again, less often where nothing but a repair can help:
    what is stored would end the service after each start anew. `selfsame doctor` tells what is unfinished.
    """
    pause = seconds
    while True:
        with anyio.move_on_after(pause):
            await ending.wait()
            return
        pause = seconds
        try:
            with anyio.fail_after(WORK_SECONDS):
                await work()
        except Exception as error:  # noqa: BLE001 - the edge: the service answers whatever happens in its background
            passing = may_pass(error)
            pause = seconds if passing else max(seconds, FAULT_SECONDS)
            (log().warning if passing else log().error)(waiting, error=kind_of(error))


async def _measured(parts: Parts, work: Callable[[Parts], Awaitable[None]]) -> None:
    """Do a piece of background work, and count it."""
    began, outcome = perf_counter(), "failed"
    try:
        await work(parts)
        outcome = "done"
    except Exception as error:
        outcome = "waits" if may_pass(error) else "failed"
        raise
    finally:
        parts.watch.metrics.worked(work.__name__.strip("_"), outcome, perf_counter() - began)


async def _drain(parts: Parts) -> None:
    """Stitch the regions that were too large for the transaction that touched them."""
    if not await anything_pending(parts.connection.reader):
        return
    drained = await drain_pending(parts.connection.writer, parts.policy, micros(parts.now()))
    if drained:
        log().info("large regions were stitched", identifiers=drained)


async def _finish(parts: Parts) -> None:
    """Go on with erasures that were interrupted."""
    if parts.hashing is None:
        return
    done = await finish_erasures(parts.connection, Tools(parts.policy, parts.hashing, micros(parts.now())))
    if done.done:
        log().info("erasures that were interrupted are finished", erasures=done.done)
    for erasure, reason in done.failed:
        log().error("an erasure that was interrupted cannot be finished", erasure=erasure, error=reason)


async def _carry_out(parts: Parts) -> None:
    """Erase whom sources asked to have erased, where their settings leave that to them."""
    if parts.hashing is None:
        return
    done = await carry_out_due(parts.connection, Tools(parts.policy, parts.hashing, micros(parts.now())))
    if done.done:
        log().info("erasures that sources asked for are done", erasures=done.done)
    for request, reason in done.failed:
        log().error("an erasure that a source asked for cannot be carried out", request=request, error=reason)


async def _fetch(parts: Parts) -> None:
    """Ask vendors for what their webhooks only named."""
    if not any(each.webhook.fetch for each in parts.hooks.values()):
        return
    fetching = Fetching(parts.connection, parts.hooks, committing(parts), parts.now, parts.hashing)
    if done := await fetching.fetch_due():
        log().info("what webhooks named is fetched", records=done)


def _telling(delivering: Delivering) -> Callable[[Parts], Awaitable[None]]:
    async def deliver(_: Parts) -> None:
        """Tell endpoints of webhooks what they are owed."""
        for endpoint, reason in await delivering.go_on():
            log().error("an endpoint of webhooks is told nothing more", endpoint=endpoint, reason=reason)

    return deliver


async def _resume(parts: Parts) -> None:
    """Go on with the application of a policy that was interrupted; until it is done nothing else is written."""
    done = await finish_application(parts.connection, parts.now, parts.mint)
    if done is not None:
        log().info("the application of a policy that was interrupted is finished", number=done.number)


async def _follow(parts: Parts) -> None:
    """Hear of another policy in force; what writes hears of it at once anyway."""
    known = parts.policy.number
    with anyio.fail_after(READY_SECONDS):
        await follow(parts.connection.reader, parts.policy)
    if parts.policy.number != known:
        log().info("another policy is in force", number=parts.policy.number, version=parts.policy.policy.version)


async def _count(parts: Parts) -> None:
    """Count what the graph holds, and what changed in it since it was counted last."""
    reader, metrics = parts.connection.reader, parts.watch.metrics
    stock = await stock_of(reader)
    kinds, parts.watch.counted_to = await changes_since(reader, parts.watch.counted_to or micros(parts.now()))
    metrics.changed(kinds)
    metrics.holds({
        "identifiers": stock.identifiers, "profiles": stock.profiles, "interactions": stock.interactions,
        "pending": stock.pending, "dead_letters": await dead_letters_kept(reader),
    })  # fmt: skip


async def _follow_segments(parts: Parts) -> None:
    """Keep who is in which segment, and tell who enters and leaves."""
    await keep_members(parts.connection, parts.policy, micros(parts.now()))


async def _wonder(parts: Parts) -> None:
    """Tell the plan of a statement that was slow."""
    await parts.watch.tell_plan(parts.connection.reader)


async def _drop(parts: Parts) -> None:
    """Drop idempotency keys that nobody is answered by any more."""
    while many := await drop_keys(parts.connection.writer, micros(parts.now()) - KEPT_MICROS):
        log().info("old idempotency keys are dropped", keys=many)


BACKGROUND: Sequence[tuple[float, Callable[[Parts], Awaitable[None]], str]] = (
    (DRAIN_SECONDS, _drain, "the background recompute has to wait"),
    (CARRY_OUT_SECONDS, _carry_out, "an erasure that a source asked for has to wait"),
    (FETCH_SECONDS, _fetch, "what webhooks named has to wait"),
    (MEMBERS_SECONDS, _follow_segments, "who enters and leaves segments has to wait"),
    (FINISH_SECONDS, _finish, "an erasure that was interrupted has to wait"),
    (FINISH_SECONDS, _resume, "the application of a policy that was interrupted has to wait"),
    (FOLLOW_SECONDS, _follow, "whether another policy is in force cannot be asked"),
    (DROP_SECONDS, _drop, "idempotency keys that are two days old stay for a while"),
    (COUNT_SECONDS, _count, "what the graph holds cannot be counted"),
    (PLAN_SECONDS, _wonder, "the plan of a slow statement cannot be had"),
)


def _graphql(parts: Parts, keys: KeyRing, guests: Guests, world_now: Callable[[], World]) -> Answer:
    async def graphql(request: Request) -> Response:
        if parts.pages is not None and (way := led_to_page(request)) is not None:
            return way
        key = await keys.known(secret_in(request.headers), address_of(request))
        if isinstance(key, Refusal):
            return question_refused(request, key)
        request.scope[KEY] = known_as(key)
        if (why := page_refused(request, key, parts.readers)) is not None:
            return question_refused(request, why)
        viewer, world = guests.viewer(key), world_now()
        if wants_events(request):
            answer = await streamed(request, viewer, world, partial(still_known, keys, request.headers))
        else:
            answer = await answered(request, viewer, world)
        answer.raw_headers += viewer.meter.headers()
        return answer

    return graphql


def _worlds(parts: Parts, feed: Feed) -> Callable[[], World]:
    """The world of one request: the policy stays the same until it is answered."""
    graph, joining = parts.connection, Joining()

    def made() -> World:
        return World(
            graph.reader,
            graph.writer,
            parts.policy.policy,
            parts.policy,
            parts.now,
            parts.mint,
            parts.hashing,
            parts.open_traits,
            feed,
            joining,
            parts.hooks_private,
        )

    last = made()

    def world() -> World:
        nonlocal last
        if last.policy is not parts.policy.policy:
            last = made()
        return last

    return world


async def _live(_: Request) -> Response:
    return said({"status": "live"})


async def _described(_: Request) -> Response:
    return Response(openapi_text(), media_type="application/json")


def _ready(parts: Parts) -> Answer:
    async def ready(request: Request) -> Response:
        if getattr(request.app.state, "going_down", False):
            return failed(IntakeClosedError("the service is going down"))
        try:
            with anyio.fail_after(READY_SECONDS):
                await answers(parts.connection.reader)
        except Exception as error:  # noqa: BLE001 - the edge: whatever the reason, the service is not ready
            return failed(DatabaseAwayError(str(error)))
        return said({"status": "ready"})

    return ready


def _metrics(parts: Parts, intake: Intake, feed: Feed) -> Answer:
    async def metrics(request: Request) -> Response:
        wanted = parts.edge.metrics_key
        if wanted and not hmac.compare_digest((secret_in(request.headers) or "").encode(), wanted.encode()):
            return refused(METRICS_KEY)
        numbers, pool = parts.watch.metrics, pool_of(parts.connection.driver)
        numbers.waiting.set(intake.waiting)
        numbers.subscriptions.set(feed.listeners)
        numbers.pool_open.set(pool.open)
        numbers.pool_used.set(pool.used)
        return Response(numbers.text(), headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE})

    return metrics
