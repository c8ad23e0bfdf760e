"""The routes /webhooks/{source}: what vendors send by themselves. What is answered with 200 is committed or kept.

A vendor repeats a refused delivery for hours and then switches the whole subscription off, so what its signature
vouches for is never refused for what it holds: what cannot be used is kept as a dead letter and answered 200. A wrong
signature is answered 401, and what has to wait 503.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from graph.connection import Writer
from graph.dead_letters import ReadBy, record_dead_letters
from graph.errors import PolicyApplyingError
from graph.fetches import PendingFetch, keep_fetches, pending
from graph.ingestion import Outcome, Status
from graph.policies import PolicyHeld
from graph.requests import Handling, record_requests
from identity.erasure import Hashing
from identity.messages import Message, Rejection
from loaders.declaring import declare_source
from loaders.errors import BodyInvalidError
from loaders.formats.records import Found
from loaders.intake import Intake
from loaders.segment_http import GZIP_MAGIC
from loaders.signatures import Delivery, Fault, verified
from loaders.translating import Translated, translated
from loaders.webhooks import Asked, Content, answer_to, body_value, contact_for, records_in
from loaders.wire import UnreadableJsonError, bounded
from selfsame.answers import problem, said
from selfsame.collecting import guarded
from selfsame.hooks import Hook
from selfsame.receiving import aside, received
from selfsame.refusals import Refusal
from selfsame.telemetry import log

LISTED = 100
CONTACT_LIMIT = 4_096  # bytes; of what nobody signed no more is read than a first contact needs

UNKNOWN_SOURCE = Refusal(404, "unknown_source", "no webhook of this name is set; SELFSAME_WEBHOOKS has those that are")
WRONG_METHOD = Refusal(405, "webhook_method", "a webhook is sent by POST")
WRONG_TOKEN = Refusal(403, "verify_token_wrong", "this does not show the token that was agreed on (`verify_token`)")
REFUSALS: Mapping[Fault, Refusal] = {
    Fault.MISSING: Refusal(401, Fault.MISSING, "the request carries no signature, or not all that is signed"),
    Fault.WRONG: Refusal(401, Fault.WRONG, "the signature is none that a secret of this webhook makes of this body"),
    Fault.REPLAYED: Refusal(
        401, Fault.REPLAYED, "the signature is right, its time is not: sent again, or a clock is wrong"
    ),
}


@dataclass(slots=True)
class Hearing:
    """What hearing webhooks needs: who may send, where messages go, where those go that cannot be used.

    hooks: by their names. policy: by which whom a request is about is known. declared: the sources whose namespaces the
    graph knows.
    """

    hooks: Mapping[str, Hook]
    intake: Intake
    writer: Writer
    now: Callable[[], datetime]
    policy: PolicyHeld
    hashing: Hashing | None = None
    declared: set[str] = field(default_factory=set)

    def routes(self) -> list[Route]:
        """POST /webhooks/{source}, and GET and HEAD for a vendor's first contact."""
        return [Route("/webhooks/{source}", guarded(self._answered), methods=["GET", "HEAD", "POST"])]

    async def _answered(self, request: Request) -> Response:
        hook = self.hooks.get(request.path_params["source"])
        if hook is None:
            return _told(UNKNOWN_SOURCE)
        if request.method != "POST":
            answer = _contacted(hook, _asked(request, hook))
            return answer or problem(405, WRONG_METHOD.code, WRONG_METHOD.sentence, headers={"Allow": "POST"})
        raw = await received(request)
        if (answer := _first_contact(hook, request, raw)) is not None:
            return answer
        delivery = Delivery(request.method, request.headers, raw, hook.url)
        content = await aside(raw, verified, delivery, hook.webhook.scheme, hook.keys, self.now())
        if isinstance(content, Fault):
            log().warning("a webhook is not believed", source=hook.name, reason=content.value)
            return _told(REFUSALS[content])
        return await self._heard(hook, request, content)

    async def _heard(self, hook: Hook, request: Request, content: bytes) -> Response:
        """The answer to what the sender signed: committed, passed over, or kept as a dead letter."""
        signed = Content(request.headers, content)
        records = await aside(content, records_in, signed, hook.mapping, hook.webhook)
        if (answer := _signed_contact(hook, request, records)) is not None:
            return answer
        records, waiting = _parted(records, hook, self.now())
        read = await aside(content, _translated, records, hook, self.now())
        pairs = [(found, message) for found, each in read for message in each.messages]
        asked = [request for _, each in read for request in each.asked]
        if pairs or asked:
            await self._declare(hook)
        await keep_fetches(self.writer, waiting)
        outcomes = await self.intake.submit([message for _, message in pairs])
        await record_requests(self.writer, asked, Handling(self.policy, self.hashing, hook.erasures), self.now())
        if asked:
            log().warning("somebody's data are asked about", source=hook.mapping.source.name, requests=len(asked))
        rejected = [each.rejection for _, each in read if each.rejection is not None] + _late(pairs, outcomes)
        by, source = ReadBy(hook.mapping.file, hook.mapping.sha256, (), hook.name), hook.mapping.source.name
        await record_dead_letters(self.writer, source, rejected, self.now(), self.hashing, read_by=by)
        return said({**_summary([each for _, each in read], outcomes, rejected), "to_fetch": len(waiting)})

    async def _declare(self, hook: Hook) -> None:
        source = hook.mapping.source
        if hook.name not in self.declared:
            await declare_source(self.writer, source)
            self.declared.add(hook.name)


async def declare_at_start(writer: Writer, hooks: Mapping[str, Hook]) -> None:
    """Declare the namespaces of every webhook's source, so that a conflict is told before anything is heard.

    While a policy is being applied nothing is declared; the first request of each source does it then. Raises
    NamespaceConflictError, NameConflictError, DatabaseAwayError.
    """
    try:
        for each in hooks.values():
            await declare_source(writer, each.mapping.source)
    except PolicyApplyingError:
        log().info("the namespaces of webhooks are declared once the policy is applied")


def _told(refusal: Refusal) -> Response:
    """No key is asked for, so none is challenged."""
    return problem(refusal.status, refusal.code, refusal.sentence)


def _asked(request: Request, hook: Hook) -> Asked:
    headers = hook.webhook.header_values(request.headers)
    return Asked(request.method, signed=False, query=request.query_params, headers=headers)


def _contacted(hook: Hook, asked: Asked) -> Response | None:
    """The answer to a first contact, as plain text; None when it is none."""
    contact = contact_for(asked, hook.webhook)
    if contact is None:
        return None
    answer = answer_to(contact, asked, hook.token)
    if answer is None:
        return _told(WRONG_TOKEN)
    return PlainTextResponse(answer, headers={"X-Content-Type-Options": "nosniff"})


def _first_contact(hook: Hook, request: Request, raw: bytes) -> Response | None:
    """The answer to a first contact that comes by POST and is not signed: none of it is a record."""
    awaited = any((each.method, each.signed) == ("POST", False) for each in hook.webhook.contacts)
    signed = (hook.webhook.scheme.header or "") in request.headers
    if not awaited or signed or len(raw) > CONTACT_LIMIT or raw.startswith(GZIP_MAGIC):
        return None
    try:
        body = body_value(Content(request.headers, raw))
    except (UnreadableJsonError, BodyInvalidError):
        return None
    return _contacted(hook, replace(_asked(request, hook), body=body))


def _signed_contact(hook: Hook, request: Request, records: Sequence[Found | Rejection] | Rejection) -> Response | None:
    """The answer to a first contact that is signed like everything else."""
    if isinstance(records, Rejection) or len(records) != 1 or isinstance(records[0], Rejection):
        return None
    record = records[0].value
    body = record.get("body") if isinstance(record, dict) else None
    return _contacted(hook, replace(_asked(request, hook), signed=True, body=body))


def _parted(
    records: tuple[Found | Rejection, ...] | Rejection, hook: Hook, now: datetime
) -> tuple[tuple[Found | Rejection, ...] | Rejection, Sequence[PendingFetch]]:
    """The records that can be told now, and those whose rest has to be fetched first, where there is a token for it."""
    fetch = hook.webhook.fetch
    if isinstance(records, Rejection) or fetch is None or hook.api_token is None:
        return records, ()
    found = [each for each in records if isinstance(each, Found)]
    lacking = [each for each in found if fetch.address(each.value, hook.api_url) is not None]
    source = hook.mapping.source.name
    waiting = [pending(source, hook.name, each.place, each.raw, now) for each in lacking]
    return tuple(each for each in records if each not in lacking), waiting


def _translated(
    records: Sequence[Found | Rejection] | Rejection, hook: Hook, now: datetime
) -> tuple[tuple[Found, Translated], ...]:
    each_of = (records,) if isinstance(records, Rejection) else records
    return tuple(
        (Found(None, each.place, each.raw or ""), Translated(rejection=each))
        if isinstance(each, Rejection)
        else (each, translated(each, hook.mapping, now))
        for each in each_of
    )


def _late(pairs: Sequence[tuple[Found, Message]], outcomes: Sequence[Outcome]) -> list[Rejection]:
    """What could be read but not written, with the text of its record."""
    return [
        replace(each.rejection, place=found.place, raw=bounded(found.raw))
        for (found, _), each in zip(pairs, outcomes, strict=True)
        if each.rejection is not None
    ]


def _summary(
    read: Sequence[Translated], outcomes: Sequence[Outcome], rejected: Sequence[Rejection]
) -> Mapping[str, object]:
    """What became of a request, for whoever looks at a vendor's list of deliveries; no value of a record is in it."""
    found = Counter(each.status for each in outcomes)
    counts = {
        status.value: found[status]
        for status in (Status.COMMITTED, Status.REPEAT, Status.REPEAT_DIFFERS, Status.ERASED)
    }
    skipped = [each.skipped for each in read if each.skipped is not None]
    listed = [{"place": each.place, "code": each.code} for each in rejected[:LISTED]]
    counts["requests"] = sum(len(each.asked) for each in read)
    return {"success": True, **counts, "skipped": skipped[:LISTED], "rejected_total": len(rejected), "rejected": listed}
