"""The routes /v1/… (Segment's HTTP API) and those of Snowplow's trackers. What is answered with 2xx is committed."""

import base64
from asyncio import CancelledError, timeout
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from graph.connection import Writer
from graph.dead_letters import record_dead_letters
from graph.ingestion import Outcome, Status
from graph.keys import ApiKey
from identity.erasure import Hashing
from identity.messages import Message, MessageKind, Rejection, SourceName
from loaders.errors import IntakeClosedError
from loaders.intake import Intake
from loaders.segment_http import decoded_body, parse_batch, parse_single, sent_texts, write_key_in
from loaders.snowplow import app_id_in, parse_payload, payload_of, sent_events
from loaders.sources import Source
from loaders.wire import bounded
from selfsame.access import KeyRing, secret_in
from selfsame.answers import failed, problem, refused, said
from selfsame.guests import Guests
from selfsame.origins import ANY, Origins, preflight, shared
from selfsame.receiving import aside, received
from selfsame.refusals import ORIGIN_REFUSED, Refusal
from selfsame.telemetry import log
from selfsame.watching import KEY, known_as

LISTED = 100
# A client is long gone then; what waits behind a connection that nobody answers on has to end at some time.
ANSWER_SECONDS = 90.0
TP2 = "/com.snowplowanalytics.snowplow/tp2"
# A transparent GIF of one pixel.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
Answer = Callable[[Request], Awaitable[Response]]
Tell = Callable[[Request, Exception], Response]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a body with several messages is read: its messages, the texts of some of them, the key that it carries.

    items: where in the body they stand.
    """

    items: str
    parse: Callable[[bytes, Source, datetime], Sequence[Message | Rejection]]
    texts: Callable[[bytes, Sequence[int]], Mapping[int, str]]
    key_in: Callable[[bytes], str | None]


SEGMENT = Shape("batch", parse_batch, sent_texts, write_key_in)
SNOWPLOW = Shape("data", parse_payload, sent_events, app_id_in)


@dataclass(frozen=True, slots=True)
class Doors:
    """Which web pages may send, whatever their key, and by which secrets their user ids are signed."""

    origins: Origins = field(default_factory=Origins)
    user_secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Collecting:
    """What collecting needs: who may send, where messages go, where those go that cannot be used.

    hashing: how the erased are known, whose texts are not kept. doors: which pages may send, who signs user ids.
    guests: how often who may send.
    """

    keys: KeyRing
    intake: Intake
    writer: Writer
    now: Callable[[], datetime]
    hashing: Hashing | None = None
    doors: Doors = field(default_factory=Doors)
    guests: Guests = field(default_factory=Guests)

    def routes(self) -> list[Route]:
        """POST /v1/batch, /v1/import, and a single call for each kind of message; tp2 and the pixel of Snowplow.

        Segment's client for browsers calls `/v1/t` what others call `/v1/track`, and `/v1/b` a batch.
        """
        batches = [self._route(f"/v1/{name}", partial(self._batch, SEGMENT)) for name in ("batch", "b", "import")]
        singles = [
            self._route(f"/v1/{name}", partial(self._single, kind.value))
            for kind in MessageKind
            for name in (kind, kind[0])
        ]
        payloads = [self._route(f"{key}{TP2}", partial(self._batch, SNOWPLOW)) for key in ("", "/{key}")]
        return batches + singles + payloads + [self._route(f"{key}/i", self._pixel, "GET") for key in ("", "/{key}")]

    def _route(self, path: str, answer: Answer, method: str = "POST") -> Route:
        return Route(path, from_pages(guarded(answer), self.doors.origins), methods=[method, "OPTIONS"])

    async def _batch(self, shape: Shape, request: Request) -> Response:
        """Every message is answered by itself; only a body that cannot be read at all is refused whole."""
        sent = await self._sent(request, shape)
        return refused(sent) if isinstance(sent, Refusal) else said(await self._taken(*sent, shape))

    async def _taken(self, body: bytes, source: Source, shape: Shape) -> Mapping[str, object]:
        read = await aside(body, shape.parse, body, source, self.now())
        messages = [each for each in read if isinstance(each, Message)]
        outcomes = await self.intake.submit(messages)
        rejected = _rejected(body, read, outcomes, shape)
        await record_dead_letters(self.writer, source.name, rejected, self.now(), self.hashing)
        return _summary(messages, outcomes, rejected)

    async def _pixel(self, request: Request) -> Response:
        """One event in the address, answered with an image: what cannot be used is a dead letter, as in a payload."""
        body = payload_of(request.query_params)
        source = await self._admitted(request, _key_of(request) or app_id_in(body))
        if isinstance(source, Refusal):
            return refused(source)
        await self._taken(body, source, SNOWPLOW)
        return Response(PIXEL, headers={"Cache-Control": "no-store"}, media_type="image/gif")

    async def _single(self, kind: str, request: Request) -> Response:
        sent = await self._sent(request, SEGMENT)
        if isinstance(sent, Refusal):
            return refused(sent)
        body, source = sent
        read = parse_single(kind, body, source, self.now())
        if isinstance(read, Rejection):
            return await self._refused_single(read, source)
        outcome = (await self.intake.submit([read]))[0]
        if outcome.rejection is not None:
            rejection = replace(outcome.rejection, place="body", raw=outcome.rejection.raw or bounded(body))
            return await self._refused_single(rejection, source)
        return said(_summary([read], [outcome], []))

    async def _refused_single(self, rejection: Rejection, source: Source) -> Response:
        await record_dead_letters(self.writer, source.name, [rejection], self.now(), self.hashing)
        return problem(400, rejection.code, rejection.sentence, rejection.place)

    async def _sent(self, request: Request, shape: Shape) -> tuple[bytes, Source] | Refusal:
        """The unpacked body and its source. A wrong key in the header is told before the body is read."""
        secret = _key_of(request)
        if secret is not None:
            key = await self.keys.sender(secret, address_of(request))
            if isinstance(key, Refusal):
                return key
        raw = await received(request)
        body = await aside(raw, decoded_body, raw, request.headers.get("content-encoding", ""))
        source = await self._admitted(request, secret or shape.key_in(body))
        return source if isinstance(source, Refusal) else (body, source)

    async def _admitted(self, request: Request, secret: str | None) -> Source | Refusal:
        """Whose messages these are, if they may be sent with this key from this page."""
        key = await self.keys.sender(secret, address_of(request))
        if isinstance(key, Refusal):
            return key
        if not Origins(frozenset(key.origins or (ANY,))).allow(request.headers.get("origin")):
            return ORIGIN_REFUSED
        request.scope[KEY] = known_as(key)
        if (waits := self.guests.sends(key)) is not None:
            return waits
        source = _source(key, self.doors)
        _note_repeat(request, source)
        return source


def from_pages(answer: Answer, origins: Origins) -> Answer:
    """An endpoint that web pages may use, as far as their origin is allowed."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return preflight(request, origins)
        if not origins.allow(request.headers.get("origin")):
            return refused(ORIGIN_REFUSED)
        return shared(request, await answer(request), origins)

    return endpoint


def _told(_: Request, error: Exception) -> Response:
    return failed(error)


def guarded(answer: Answer, tell: Tell = _told) -> Answer:
    """An endpoint whose every error becomes an answer. tell: in which form."""

    async def endpoint(request: Request) -> Response:
        try:
            async with timeout(ANSWER_SECONDS):
                return await answer(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except CancelledError:  # uvicorn's patience with what is unanswered when the service goes down
            return tell(request, IntakeClosedError("the service went down before this was done; send it again"))
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the sender is told
            return tell(request, error)

    return endpoint


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """An endpoint as Starlette calls an application: what it puts around a function takes a tenth of a small answer."""

    answer: Answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (await self.answer(Request(scope, receive, send)))(scope, receive, send)


def address_of(request: HTTPConnection) -> str | None:
    """From where somebody asks, as the server tells it: behind a proxy that is trusted, as the proxy does."""
    return request.client.host if request.client is not None else None


def _key_of(request: Request) -> str | None:
    """The key in the header, else the one in front of a tracker's path: trackers set an address, not a header."""
    return secret_in(request.headers) or request.path_params.get("key")


def _source(key: ApiKey, doors: Doors) -> Source:
    return Source(
        name=key.source or SourceName("web"),
        authority=key.authority,
        user_secrets=doors.user_secrets,
        requires_signature=key.requires_signature,
    )


def _note_repeat(request: Request, source: Source) -> None:
    """SDKs count in a header how often they sent a request before; it changes nothing, and shows whom to look after."""
    times = request.headers.get("x-retry-count", "")
    if times.isdecimal() and int(times[:9]):
        log().info("a request comes again", source=source.name, times=int(times[:9]))


def _rejected(
    body: bytes, read: Sequence[Message | Rejection], outcomes: Sequence[Outcome], shape: Shape
) -> list[Rejection]:
    """What cannot be used, in the order of the batch, each with its place and its text as it was sent."""
    found = {number: each for number, each in enumerate(read) if isinstance(each, Rejection)}
    places = [number for number, each in enumerate(read) if isinstance(each, Message)]
    late = {number: each.rejection for number, each in zip(places, outcomes, strict=True) if each.rejection is not None}
    if late:
        texts = shape.texts(body, list(late))
        found |= {
            number: replace(each, place=f"{shape.items}[{number}]", raw=texts[number]) for number, each in late.items()
        }
    return [found[number] for number in sorted(found)]


def _summary(
    messages: Sequence[Message], outcomes: Sequence[Outcome], rejected: Sequence[Rejection]
) -> Mapping[str, object]:
    """What became of the messages; of rejections and warnings the first hundred are listed."""
    warned = [
        {"messageId": message.message_id, "code": each.code, "place": each.place, "message": each.sentence}
        for message, outcome in zip(messages, outcomes, strict=True)
        for each in outcome.warnings
    ]
    counts = {
        status.value: sum(outcome.status is status for outcome in outcomes)
        for status in (Status.COMMITTED, Status.REPEAT, Status.REPEAT_DIFFERS, Status.ERASED)
    }
    listed = [
        {"place": each.place, "code": each.code, "message": each.sentence, "messageId": each.message_id}
        for each in rejected[:LISTED]
    ]
    totals = {"rejected_total": len(rejected), "warnings_total": len(warned)}
    return {"success": True, **counts, **totals, "rejected": listed, "warnings": warned[:LISTED]}
