"""The routes /v1/…: Segment's HTTP API. What is answered with 2xx is committed."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from graph.connection import Writer
from graph.ingestion import Outcome, Status
from graph.keys import ApiKey
from graph.runs import record_dead_letters
from identity.erasure import Hashing
from identity.messages import Message, MessageKind, Rejection, SourceName
from loaders.errors import IntakeClosedError
from loaders.intake import Intake
from loaders.segment_http import decoded_body, parse_batch, parse_single, sent_texts, write_key_in
from loaders.sources import Source
from loaders.wire import bounded
from selfsame.access import ORIGIN_REFUSED, KeyRing, Refusal, secret_in
from selfsame.answers import failed, problem, refused, said
from selfsame.origins import ANY, Origins, preflight, shared
from selfsame.receiving import aside, received
from selfsame.telemetry import log

LISTED = 100
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Doors:
    """Which web pages may send, whatever their key, and by which secrets their user ids are signed."""

    origins: Origins = field(default_factory=Origins)
    user_secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Collecting:
    """What collecting needs: who may send, where messages go, where those go that cannot be used.

    hashing: how the erased are known, whose texts are not kept. doors: which pages may send, who signs user ids.
    """

    keys: KeyRing
    intake: Intake
    writer: Writer
    now: Callable[[], datetime]
    hashing: Hashing | None = None
    doors: Doors = field(default_factory=Doors)

    def routes(self) -> list[Route]:
        """POST /v1/batch, /v1/import, and a single call for each kind of message.

        Segment's client for browsers calls `/v1/t` what others call `/v1/track`, and `/v1/b` a batch.
        """
        batches = [self._route(name, self._batch) for name in ("batch", "b", "import")]
        singles = [
            self._route(name, partial(self._single, kind.value)) for kind in MessageKind for name in (kind, kind[0])
        ]
        return batches + singles

    def _route(self, name: str, answer: Answer) -> Route:
        return Route(f"/v1/{name}", from_pages(guarded(answer), self.doors.origins), methods=["POST", "OPTIONS"])

    async def _batch(self, request: Request) -> Response:
        """Every message is answered by itself; only a body that cannot be read at all is refused whole."""
        sent = await self._sent(request)
        if isinstance(sent, Refusal):
            return refused(sent)
        body, source = sent
        read = await aside(body, parse_batch, body, source, self.now())
        messages = [each for each in read if isinstance(each, Message)]
        outcomes = await self.intake.submit(messages)
        rejected = _rejected(body, read, outcomes)
        await record_dead_letters(self.writer, source.name, rejected, self.now(), self.hashing)
        return said(_summary(messages, outcomes, rejected))

    async def _single(self, kind: str, request: Request) -> Response:
        sent = await self._sent(request)
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

    async def _sent(self, request: Request) -> tuple[bytes, Source] | Refusal:
        """The unpacked body and its source. A wrong key in the header is told before the body is read."""
        secret = secret_in(request.headers)
        if secret is not None:
            key = await self.keys.sender(secret)
            if isinstance(key, Refusal):
                return key
        raw = await received(request)
        body = await aside(raw, decoded_body, raw, request.headers.get("content-encoding", ""))
        key = await self.keys.sender(secret or write_key_in(body))
        if isinstance(key, Refusal):
            return key
        if not Origins(frozenset(key.origins or (ANY,))).allow(request.headers.get("origin")):
            return ORIGIN_REFUSED
        source = _source(key, self.doors)
        _note_repeat(request, source)
        return body, source


def from_pages(answer: Answer, origins: Origins) -> Answer:
    """An endpoint that web pages may use, as far as their origin is allowed."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return preflight(request, origins)
        if not origins.allow(request.headers.get("origin")):
            return refused(ORIGIN_REFUSED)
        return shared(request, await answer(request), origins)

    return endpoint


def guarded(answer: Answer) -> Answer:
    """An endpoint whose every error becomes an answer."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except CancelledError:  # uvicorn's patience with what is unanswered when the service goes down
            return failed(IntakeClosedError("the service went down before this was done; send it again"))
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the sender is told
            return failed(error)

    return endpoint


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


def _rejected(body: bytes, read: Sequence[Message | Rejection], outcomes: Sequence[Outcome]) -> list[Rejection]:
    """What cannot be used, in the order of the batch, each with its place and its text as it was sent."""
    found = {number: each for number, each in enumerate(read) if isinstance(each, Rejection)}
    places = [number for number, each in enumerate(read) if isinstance(each, Message)]
    late = {number: each.rejection for number, each in zip(places, outcomes, strict=True) if each.rejection is not None}
    if late:
        texts = sent_texts(body, list(late))
        found |= {number: replace(each, place=f"batch[{number}]", raw=texts[number]) for number, each in late.items()}
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
