"""What a request to /graphql asks, read from its body or its address."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from starlette.requests import ClientDisconnect, Request

from resolvers.errors import Code, refused

BODY_LIMIT = 1_000_000
IDS = ("documentId", "id", "doc_id")


@dataclass(frozen=True, slots=True)
class Asked:
    """A document, its variables, the operation's name.

    document: the id of a trusted document, where no text is sent. hash: of the text (APQ), with it or in its place.
    """

    query: str
    variables: Mapping[str, object] = field(default_factory=dict)
    operation: str | None = None
    document: str | None = None
    hash: str | None = None


async def asked_in(request: Request, most: int) -> Asked | tuple[Asked, ...]:
    """What a request asks; several questions where its body is a list. most: how many it may have at once.

    Raises GraphQLError with a code of errors.py.
    """
    if request.method == "GET":
        return _from_address(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refused(Code.CONTENT_TYPE)
    try:
        sent = orjson.loads(await _body(request))
    except orjson.JSONDecodeError as error:
        raise refused(Code.BODY_INVALID, f"the body is no JSON: {error}") from error
    return _batch(sent, most) if isinstance(sent, list) else asked_from(sent)


def _batch(sent: list[object], most: int) -> tuple[Asked, ...]:
    if most <= 1:
        raise refused(Code.TOO_MANY_OPERATIONS, "this service takes no lists of operations; send each by itself")
    if not sent:
        raise refused(Code.BODY_INVALID, "the body is an empty list")
    if len(sent) > most:
        raise refused(
            Code.TOO_MANY_OPERATIONS, f"the body lists {len(sent)} operations; the service takes {most} at once"
        )
    return tuple(map(asked_from, sent))


async def _body(request: Request) -> bytes:
    """The body, which mostly comes as one message; `Request.stream` takes three times as long to hand it on."""
    parts, length = list[bytes](), 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        parts.append(part)
        length += len(part)
        if length > BODY_LIMIT:
            raise refused(Code.BODY_TOO_LARGE)
        if not message.get("more_body", False):
            return b"".join(parts)


def _from_address(parameters: Mapping[str, str]) -> Asked:
    sent: dict[str, object] = {name: parameters.get(name) for name in ("query", "operationName", *IDS)}
    return asked_from(sent | {name: _json(parameters, name) for name in ("variables", "extensions")})


def _json(parameters: Mapping[str, str], name: str) -> object:
    try:
        return orjson.loads(parameters.get(name) or "null")
    except orjson.JSONDecodeError as error:
        raise refused(Code.BODY_INVALID, f"`{name}` is no JSON: {error}") from error


def asked_from(sent: object) -> Asked:
    """What a request asks that was read already. Raises GraphQLError with a code of errors.py."""
    if not isinstance(sent, dict):
        raise refused(Code.BODY_INVALID, "the body is no JSON object")
    query, variables, operation = sent.get("query"), sent.get("variables"), sent.get("operationName")
    id_, hashed = _id_in(sent), _hash_in(sent.get("extensions"))
    if (id_ is None and hashed is None) or query is not None:
        if not isinstance(query, str) or not query.strip():
            raise refused(Code.BODY_INVALID, "`query` is missing, empty or no text")
        id_ = None
    if not isinstance(variables, dict | None):
        raise refused(Code.BODY_INVALID, "`variables` is no JSON object")
    if not isinstance(sent.get("extensions"), dict | None):
        raise refused(Code.BODY_INVALID, "`extensions` is no JSON object")
    if not isinstance(operation, str | None):
        raise refused(Code.BODY_INVALID, "`operationName` is no text")
    return Asked(query or "", variables or {}, operation or None, id_, hashed)


def _id_in(sent: Mapping[str, object]) -> str | None:
    """The id of a trusted document: `documentId` as GraphQL over HTTP drafts it, `id` or `doc_id` for Relay."""
    return next((value for name in IDS if isinstance(value := sent.get(name), str) and value), None)


def _hash_in(extensions: object) -> str | None:
    """The hash of a document, as Apollo's automatic persisted queries send it."""
    told = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if told is None:
        return None
    hashed = told.get("sha256Hash") if isinstance(told, dict) else None
    if not isinstance(hashed, str) or not hashed or told.get("version") != 1:
        raise refused(Code.BODY_INVALID, "`extensions.persistedQuery` has `version` 1 and a text `sha256Hash`")
    return hashed
