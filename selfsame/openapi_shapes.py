"""The shapes of what is sent and answered, and the answers that many addresses share, as OpenAPI 3.1 writes them."""

from identity.messages import MessageKind

PROBLEM = "Problem"
BASIC: object = [{"basic": []}, {"bearer": []}]
SCALAR: object = ["string", "number", "null"]
OPEN: object = {"type": ["object", "null"], "additionalProperties": True}


def content(schema: str, *media: str) -> dict[str, object]:
    """A schema under its media types, by default JSON."""
    return {each: {"schema": {"$ref": f"#/components/schemas/{schema}"}} for each in media or ("application/json",)}


def response(said: str, schema: str, *media: str) -> dict[str, object]:
    """An answer of one shape."""
    return {"description": said, "content": content(schema, *media)}


def _open(required: str, **properties: object) -> dict[str, object]:
    """An object that may hold more than is named."""
    return {"type": "object", "required": required.split(), "properties": properties}


def _closed(required: str, **properties: object) -> dict[str, object]:
    """An object that holds what is named alone, as what we answer does."""
    return {**_open(required, **properties), "additionalProperties": False}


def _list(schema: str) -> dict[str, object]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


TEXT: object = {"type": "string"}
COUNT: object = {"type": "integer", "minimum": 0}
YES: object = {"const": True}
COUNTS = dict.fromkeys(("committed", "repeat", "repeat_differs", "erased", "rejected_total"), COUNT)
COUNTED = "success " + " ".join(COUNTS)

MESSAGE: dict[str, object] = {
    "type": {"type": "string", "enum": [each.value for each in MessageKind]},
    "messageId": {"type": SCALAR, "description": "Unique in its source for ever: the same sent again changes nothing."},
    "userId": {"type": SCALAR},
    "anonymousId": {"type": SCALAR},
    "groupId": {"type": SCALAR},
    "previousId": {"type": SCALAR},
    "event": {"type": ["string", "null"], "description": "What happened, of a `track`."},
    "name": {"type": ["string", "null"], "description": "Of a `page` or `screen`."},
    "traits": OPEN,
    "properties": OPEN,
    "context": OPEN,
    "timestamp": {"type": ["string", "null"], "description": "ISO 8601."},
    "originalTimestamp": {"type": ["string", "null"]},
    "sentAt": {"type": ["string", "null"]},
    "writeKey": {"type": ["string", "null"], "description": "The key, where no header has one."},
}

SCHEMAS: dict[str, object] = {
    "Message": _open("", **MESSAGE),
    "Batch": _open("batch",
        batch=_list("Message") | {"maxItems": 100_000},
        sentAt=MESSAGE["sentAt"], context=OPEN, writeKey=MESSAGE["writeKey"],
    ),
    "Payload": _open("data",
        schema={"type": "string"},
        data={"type": "array", "items": {"type": "object", "additionalProperties": {"type": ["string", "number"]}}},
    ),
    "Taken": _closed(
        f"{COUNTED} warnings_total rejected warnings",
        success=YES, **COUNTS, warnings_total=COUNT, rejected=_list("Rejected"), warnings=_list("Warned"),
    ),
    "Rejected": _closed(
        "place code message messageId",
        place=TEXT, code=TEXT, message=TEXT, messageId={"type": ["string", "null"]},
    ),
    "Warned": _closed("messageId code place message", messageId=TEXT, code=TEXT, place=TEXT, message=TEXT),
    "Heard": _closed(
        f"{COUNTED} requests skipped rejected",
        success=YES, **COUNTS, requests=COUNT, to_fetch=COUNT, skipped={"type": "array", "items": TEXT},
        rejected={"type": "array", "items": _closed("place code", place=TEXT, code=TEXT)},
    ),
    PROBLEM: _closed(
        "success error",
        success={"const": False}, error=_closed("code message", code=TEXT, message=TEXT, place=TEXT),
    ),
    "Question": _open("",
        query=TEXT, documentId=TEXT, variables=OPEN, operationName={"type": ["string", "null"]},
    ),
    "Answer": _closed("", data=OPEN, errors=_list("Error"), extensions={"$ref": "#/components/schemas/Extensions"}),
    "Answers": {"anyOf": [{"$ref": "#/components/schemas/Answer"}, _list("Answer")]},
    "Questions": {"anyOf": [{"$ref": "#/components/schemas/Question"}, _list("Question") | {"maxItems": 10}]},
    "Errors": _closed(
        "errors", data=OPEN, errors=_list("Error"), extensions={"$ref": "#/components/schemas/Extensions"}
    ),
    "Extensions": _closed(
        "cost",
        cost=_closed("requested allowed", requested=COUNT, allowed=COUNT), masked={"type": "array", "items": TEXT},
    ),
    "Error": _open("message extensions",
        message=TEXT, extensions=_open("code", code=TEXT), path={"type": "array"},
    ),
    "Health": _closed("status", status={"type": "string", "enum": ["live", "ready"]}),
    "Text": TEXT,
    "Anything": True,
}  # fmt: skip

GRAPHQL = ("application/json", "application/graphql-response+json")
RETRY: object = {
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
CHALLENGE: object = {"WWW-Authenticate": {"description": "For a browser.", "schema": TEXT}}
ALLOW: object = {"Allow": {"description": "The method that is meant.", "required": True, "schema": TEXT}}


def _problem(said: str, **more: object) -> object:
    return {**response(said, PROBLEM), **more}


RESPONSES: dict[str, object] = {
    "Unusable": _problem("`body_invalid`, or why the only message cannot be used; sending it again cannot help."),
    "KeyRefused": _problem(
        "`key_missing`, `key_unknown`, `key_expired`, `key_revoked`, `token_invalid`.", headers=CHALLENGE
    ),
    "NotAllowed": _problem("`key_scope`, `origin_refused`."),
    "TooLarge": _problem("`body_too_large`: more than 5 MB, packed or unpacked."),
    "TooMany": _problem("`rate_limited`: nothing is lost if the same is sent again.", headers=RETRY),
    "Fault": _problem("`unexpected`: a fault in Selfsame itself. Sending the same again is right."),
    "Wait": _problem(
        "`queue_full`, `intake_closed`, `database_away`, `database_broken`, `body_stalled`, `policy_applying`, "
        "`namespace_conflict`, `name_conflict`, `erasure_key`: nothing is lost if the same is sent again.",
        headers=RETRY,
    ),
    "NotBelieved": _problem("`signature_missing`, `signature_wrong`, `webhook_replayed`."),
    "WrongToken": _problem("`verify_token_wrong`."),
    "UnknownSource": _problem("`unknown_source`."),
    "WebhookMethod": _problem("`webhook_method`.", headers=ALLOW),
    "QuestionOfNobody": {
        **response("As `KeyRefused`, in the form of GraphQL.", "Errors", *GRAPHQL),
        "headers": CHALLENGE,
    },
    "QuestionFailed": response("`unexpected`: a fault in Selfsame itself.", "Errors", *GRAPHQL),
    "QuestionUnusable": response("What was asked cannot be executed.", "Errors", *GRAPHQL),
    "QuestionRefused": response("`key_scope`, `origin_refused`, `preflight_needed`.", "Errors", *GRAPHQL),
    "QuestionMethod": {**response("`method`.", "Errors", *GRAPHQL), "headers": ALLOW},
    "QuestionTooLarge": response("`body_too_large`: more than 1 MB.", "Errors", *GRAPHQL),
    "QuestionMedia": response("`content_type`.", "Errors", *GRAPHQL),
    "QuestionTooMany": {**response("`rate_limited`.", "Errors", *GRAPHQL), "headers": RETRY},
    "QuestionWaits": response(
        "`database_away`, `policy_applying`, `too_slow`, `issuer_away`, `intake_closed`.", "Errors", *GRAPHQL
    ),
}
