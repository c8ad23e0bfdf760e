"""The HTTP edges described: the OpenAPI 3.1 document at /openapi.json, which `selfsame schema --http` prints.

What is described is what is answered: the tests make requests from it, and compare the answers with it.
"""

from collections.abc import Mapping

import orjson

from identity.messages import MessageKind
from loaders.mapping import CATALOG
from selfsame.openapi_shapes import BASIC, RESPONSES, SCHEMAS, content, response

TITLE = "Selfsame"
ABOUT = (
    "Who is this, and who and what are they related to? What is sent here becomes people and what they did; "
    "what they are is asked by GraphQL. docs/http.md says more, docs/errors.md has all codes. Browsers may send a "
    "preflight (OPTIONS) to whatever takes messages."
)
EXAMPLES = CATALOG / "examples"
# What anything that is read with a key, and written to the graph, may be answered with.
REFUSED = {"401": "KeyRefused", "403": "NotAllowed", "429": "TooMany", "500": "Fault", "503": "Wait"}
SENT = {"400": "Unusable", "413": "TooLarge", **REFUSED}
Described = dict[str, object]


def openapi_text() -> str:
    """The document as it is served and checked in."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def document() -> Described:
    """The description of all that answers, by its address."""
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": said} for name, said in TAGS.items()],
        "paths": {**_batches(), **_singles(), **_trackers(), **_webhooks(), **_graphql(), **_itself()},
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name, no password."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "The key."},
            },
            "schemas": SCHEMAS,
            "responses": RESPONSES,
        },
    }


TAGS = {
    "sending": "Segment's HTTP API: a key of scope `write`, in the header or as `writeKey` in the body.",
    "trackers": "Snowplow's trackers: the key before the path, as the app id, or in the header.",
    "webhooks": "What vendors send by themselves, each signed in its own way.",
    "asking": "GraphQL: a key of scope `read`, `steward` or `admin`.",
    "service": "The service itself; no key.",
}


def _operation(id_: str, tag: str, summary: str, **parts: object) -> Described:
    return {"operationId": id_, "tags": [tag], "summary": summary, **parts}


def _answers(success: object, others: Mapping[str, str]) -> Described:
    return {"200": success, **{status: {"$ref": f"#/components/responses/{name}"} for status, name in others.items()}}


def _body(schema: str, **more: object) -> Described:
    return {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, **more}},
    }


def _batches() -> Described:
    """Many messages at once, by each of the names that clients use."""
    taken = response("Everything listed as committed is in Neo4j, and stitched.", "Taken")
    return {
        f"/v1/{name}": {
            "post": _operation(
                f"send_{name}",
                "sending",
                "Send messages; each is answered by itself.",
                security=BASIC,
                requestBody=_body("Batch", example={"batch": [IDENTIFY, TRACK]}),
                responses=_answers(taken, SENT),
            )
        }
        for name in ("batch", "b", "import")
    }


IDENTIFY: Described = {
    "type": "identify", "messageId": "m-1", "userId": "u-1", "anonymousId": "a-1",
    "traits": {"email": "ann@example.com"},
}  # fmt: skip
TRACK: Described = {
    "type": "track", "messageId": "m-2", "anonymousId": "a-1", "event": "Viewed", "timestamp": "2026-01-20T10:00:00Z",
}  # fmt: skip


def _singles() -> Described:
    """One message, whose kind its address says, in full or as Segment's client for browsers shortens it."""
    sent = {name: value for name, value in (IDENTIFY | {"event": "Viewed"}).items() if name != "type"}
    taken = response("The message is in Neo4j, and stitched, or it was known.", "Taken")
    return {
        f"/v1/{name}": {
            "post": _operation(
                f"send_{name}",
                "sending",
                f"Send one message of the kind `{kind.value}`.",
                security=BASIC,
                requestBody=_body("Message", example=sent),
                responses=_answers(taken, SENT),
            )
        }
        for kind in MessageKind
        for name in (kind.value, kind.value[0])
    }


KEY: Described = {
    "name": "key", "in": "path", "required": True, "schema": {"type": "string"},
    "description": "The key, where a tracker takes an address alone.",
}  # fmt: skip


def _trackers() -> Described:
    """Snowplow's two ways, with the key in front or without."""
    taken = response("What became of the events.", "Taken")
    image: object = {
        "description": "The event is in Neo4j, or kept as a dead letter.",
        "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}},
    }
    found: Described = {}
    ways: tuple[tuple[str, list[object]], ...] = (("", []), ("/{key}", [KEY]))
    for front, parameters in ways:
        name = "_of_key" if front else ""
        found[f"{front}/com.snowplowanalytics.snowplow/tp2"] = {
            "post": _operation(
                f"snowplow_tp2{name}", "trackers", "Send events.", security=BASIC, parameters=parameters,
                requestBody=_body("Payload"), responses=_answers(taken, SENT),
            )
        }  # fmt: skip
        found[f"{front}/i"] = {
            "get": _operation(
                f"snowplow_pixel{name}", "trackers", "Send one event in the address.", security=BASIC,
                parameters=[*parameters, *PIXEL], responses=_answers(image, {"400": "Unusable", **REFUSED}),
            )
        }  # fmt: skip
    return found


def _query(name: str, said: str, *, required: bool = False) -> Described:
    return {"name": name, "in": "query", "required": required, "description": said, "schema": {"type": "string"}}


PIXEL = [
    _query("e", "What kind of event."),
    _query("aid", "The app id, which may be the key."),
    _query("eid", "The message id."),
    _query("duid", "The device."),
    _query("uid", "The user id."),
    _query("dtm", "When, in milliseconds."),
]


def _webhooks() -> Described:
    """A webhook; Zapier and Make stand for the two usual ways, a shared secret and a signature."""
    heard: object = {
        "description": "Signed: committed, known, passed over by the mapping, or kept as a dead letter.",
        "content": content("Heard") | {"text/plain": {"schema": {"type": "string"}}},
    }
    source: Described = {
        "name": "source", "in": "path", "required": True, "schema": {"type": "string"},
        "description": "A name that the setting `SELFSAME_WEBHOOKS` has (docs/webhooks.md).", "example": "zapier",
    }  # fmt: skip
    failures = {"401": "NotBelieved", "403": "WrongToken", "404": "UnknownSource", "405": "WebhookMethod"}
    examples = {name: {"summary": said, "value": _example(file)} for name, (said, file) in CALLERS.items()}
    return {
        "/webhooks/{source}": {
            "parameters": [source],
            "post": _operation(
                "hear_webhook", "webhooks", "What a vendor sends, signed as its mapping says.", parameters=SIGNED,
                requestBody={"required": True, "content": {"application/json": {"schema": True, "examples": examples}}},
                responses=_answers(heard, {**failures, "413": "TooLarge", "500": "Fault", "503": "Wait"}),
            ),
            "get": _operation(
                "meet_webhook", "webhooks", "A vendor's first contact, where it makes one by GET.",
                responses=_answers(response("What the vendor wants to hear.", "Text", "text/plain"), failures),
            ),
        }
    }  # fmt: skip


CALLERS = {
    "zapier": ("Zapier: Webhooks by Zapier, POST, with X-Selfsame-Key", "zapier_event"),
    "make": ("Make: HTTP, make a request, signed as Standard Webhooks", "make_event"),
}


def _header(name: str, said: str) -> Described:
    return {"name": name, "in": "header", "required": False, "description": said, "schema": {"type": "string"}}


SIGNED = [
    _header(
        "X-Selfsame-Key", "The secret, where a vendor can send one along: Zapier, Google Sheets, WordPress, a till."
    ),
    _header("Webhook-Id", "The event's id, where signed as Standard Webhooks: Make."),
    _header("Webhook-Timestamp", "The time of the request in seconds; at most five minutes off."),
    _header("Webhook-Signature", "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`."),
]


def _example(file: str) -> object:
    read: dict[str, object] = orjson.loads((EXAMPLES / f"{file}.json").read_bytes())
    return read["body"]


def _graphql() -> Described:
    """Questions; what they may be, `schema.graphql` says."""
    media = ("application/json", "application/graphql-response+json")
    said = "The answer, perhaps with errors beside it"
    answered: object = {"description": f"{said}.", "content": content("Answer", *media)}
    together: object = {
        "description": f"{said}; to a list of questions a list of answers, in their order.",
        "content": content("Answers", *media),
    }
    failures = {
        "400": "QuestionUnusable", "401": "QuestionOfNobody", "403": "QuestionRefused", "405": "QuestionMethod",
        "413": "QuestionTooLarge", "429": "QuestionTooMany", "500": "QuestionFailed", "503": "QuestionWaits",
    }  # fmt: skip
    asked = [
        _query("query", "The document; may be left out where `documentId` or a hash in `extensions` names it."),
        _query("documentId", "Of a trusted document."),
        _query("extensions", "As JSON: the hash of a document in `persistedQuery`."),
        _query("variables", "As JSON."),
        _query("operationName", "Which operation of the document."),
    ]
    return {
        "/graphql": {
            "post": _operation(
                "ask", "asking", "Ask, or change.", security=BASIC,
                requestBody=_body("Questions", example={"query": "{ segments { name } }"}),
                responses=_answers(together, {**failures, "415": "QuestionMedia"}),
            ),
            "get": _operation(
                "ask_by_address", "asking", "Ask; changes nothing.", security=BASIC, parameters=asked,
                responses=_answers(answered, failures),
            ),
        }
    }  # fmt: skip


PAGE: Described = {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
PART: Described = {
    "name": "name", "in": "path", "required": True, "schema": {"type": "string"}, "description": "As a page names it.",
}  # fmt: skip


def _itself() -> Described:
    return {
        "/health/live": {
            "get": _operation("is_live", "service", "Whether the process answers.",
                              responses=_answers(response("It does.", "Health"), {}))
        },
        "/health/ready": {
            "get": _operation("is_ready", "service", "Whether Neo4j answers.",
                              responses=_answers(response("It does.", "Health"), {"503": "Wait"}))
        },
        "/metrics": {
            "get": _operation("measure", "service", "Numbers for Prometheus; where a key is set, with that.",
                              security=[{}, {"bearer": []}],
                              responses=_answers({"description": "Prometheus' text.", "content": content(
                                  "Text", "text/plain")}, {"401": "KeyRefused"}))
        },
        "/graphiql": {
            "get": _operation("show_graphiql", "service", "GraphiQL, for people; SELFSAME_GRAPHIQL switches it off.",
                              responses={"200": PAGE, "404": PAGE | {"description": "It was not built."}})
        },
        "/assets/{name}": {
            "get": _operation("show_part", "service", "A part of that page.", parameters=[PART],
                              responses={"200": {"description": "It, to be kept for ever."},
                                         "404": {"description": "There is none.",
                                                 "content": {"text/plain": {"schema": {"type": "string"}}}}})
        },
        "/openapi.json": {
            "get": _operation("describe", "service", "This document.",
                              responses=_answers(response("An OpenAPI 3.1 document.", "Anything"), {}))
        },
    }  # fmt: skip
