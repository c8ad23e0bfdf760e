"""The routes /v1/…: Segment's HTTP API. What is answered with 2xx is committed."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from selfsame.access import KeyRing, Refusal, secret_in
from selfsame.answers import failed, problem, refused, said
from selfsame.receiving import aside, received

LISTED = 100
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Collecting:
    """What collecting needs: who may send, where messages go, where those go that cannot be used.

    hashing: how the erased are known, whose texts are not kept.
    """

    keys: KeyRing
    intake: Intake
    writer: Writer
    now: Callable[[], datetime]
    hashing: Hashing | None = None

    def routes(self) -> list[Route]:
        """POST /v1/batch, /v1/import, and a single call for each kind of message."""
        batches = [Route(f"/v1/{name}", guarded(self._batch), methods=["POST"]) for name in ("batch", "import")]
        singles = [
            Route(f"/v1/{kind}", guarded(partial(self._single, kind.value)), methods=["POST"]) for kind in MessageKind
        ]
        return batches + singles

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
        return key if isinstance(key, Refusal) else (body, _source(key))


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


def _source(key: ApiKey) -> Source:
    return Source(name=key.source or SourceName("web"))


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
