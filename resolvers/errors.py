"""What a caller of /graphql can be told: one table of stable codes. No class of its own is raised in this room.

GraphQLError (graphql-core), with `extensions.code` from this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from graphql import GraphQLError


class Code(StrEnum):
    """The stable word in `extensions.code`."""

    BODY_INVALID = "body_invalid"
    BODY_TOO_LARGE = "body_too_large"
    CONTENT_TYPE = "content_type"
    METHOD = "method"
    KEY_SCOPE = "key_scope"
    PII_SCOPE = "pii_scope"
    SYNTAX = "syntax"
    QUERY_INVALID = "query_invalid"
    VARIABLES_INVALID = "variables_invalid"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    TOO_MANY_ALIASES = "too_many_aliases"
    TOO_MANY_DIRECTIVES = "too_many_directives"
    TOO_MANY_OPERATIONS = "too_many_operations"
    TOO_MANY_ROOT_FIELDS = "too_many_root_fields"
    TOO_COSTLY = "too_costly"
    DOCUMENT_NOT_TRUSTED = "document_not_trusted"
    HASH_WRONG = "hash_wrong"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"  # the word that clients look for
    INTROSPECTION_OFF = "introspection_off"
    RATE_LIMITED = "rate_limited"
    TOO_SLOW = "too_slow"
    BAD_CURSOR = "bad_cursor"
    BAD_DATE = "bad_date"
    BAD_ID = "bad_id"
    FIRST_OUT_OF_RANGE = "first_out_of_range"
    TOO_MANY_VALUES = "too_many_values"
    NAMESPACE_INVALID = "namespace_invalid"
    IDENTIFIER_EMPTY = "identifier_empty"
    IDENTIFIER_BLOCKED = "identifier_blocked"
    IDENTIFIER_TOO_LONG = "identifier_too_long"
    IDENTIFIER_INVALID = "identifier_invalid"
    UNKNOWN_PROFILE = "unknown_profile"
    ERASED = "erased"
    ERASURE_KEY = "erasure_key"
    UNKNOWN_TRAIT = "unknown_trait"
    TRAIT_NAME = "trait_name"
    NOT_OF_THE_PAST = "not_of_the_past"
    VALUE_INVALID = "value_invalid"
    SEGMENT_INVALID = "segment_invalid"
    SEGMENT_NAME = "segment_name"
    TOO_MANY_SEGMENTS = "too_many_segments"
    UNKNOWN_SEGMENT = "unknown_segment"
    WEBHOOK_URL = "webhook_url"
    WEBHOOK_TOPICS = "webhook_topics"
    TOO_MANY_ENDPOINTS = "too_many_endpoints"
    BAD_SEQUENCE = "bad_sequence"
    SEQUENCE_GONE = "sequence_gone"
    UNKNOWN_RUN = "unknown_run"
    SUBSCRIPTION_TRANSPORT = "subscription_transport"
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions"
    KEY_ENDED = "key_ended"
    IDEMPOTENCY_KEY = "idempotency_key"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    DATABASE_AWAY = "database_away"
    POLICY_APPLYING = "policy_applying"
    UNEXPECTED = "unexpected"


# What each means and what the caller can do; docs/errors.md says the same.
MEANINGS: Mapping[Code, str] = {
    Code.BODY_INVALID: "the body is no JSON object with a `query`, or a GET has no `query` or unreadable `variables`",
    Code.BODY_TOO_LARGE: "the body is larger than 1 MB",
    Code.CONTENT_TYPE: "a POST needs `Content-Type: application/json`",
    Code.METHOD: "mutations are sent by POST, never by GET",
    Code.KEY_SCOPE: "queries need a key of scope `read`, mutations one of scope `write`",
    Code.PII_SCOPE: "what is asked speaks of personal data, or would find it out; that needs `pii:read`",
    Code.SYNTAX: "the document is not GraphQL; `locations` says where",
    Code.QUERY_INVALID: "the document does not fit the schema, or names no operation to execute",
    Code.VARIABLES_INVALID: "a variable is missing or does not fit its type",
    Code.TOO_DEEP: "fields or variables are nested deeper than the service allows",
    Code.TOO_LONG: "the document has too many characters, tokens or fragments, or asks for one name too often",
    Code.TOO_MANY_ALIASES: "the document renames more fields than the service allows; ask for them in several requests",
    Code.TOO_MANY_DIRECTIVES: "the document has more directives than the service allows, in all or at one place",
    Code.TOO_MANY_OPERATIONS: "the body lists more operations than the service takes at once",
    Code.TOO_MANY_ROOT_FIELDS: "the operation asks too many fields at its root; send several requests",
    Code.TOO_COSTLY: "pages inside pages would answer too many fields; ask for smaller pages",
    Code.DOCUMENT_NOT_TRUSTED: "only documents of the service's manifest may be asked with this key",
    Code.HASH_WRONG: "`sha256Hash` is not the SHA-256 of this `query` in hexadecimal digits",
    Code.PERSISTED_QUERY_NOT_FOUND: "no document with this hash is remembered; send the same with its `query`",
    Code.INTROSPECTION_OFF: "the schema is not told to this key; it stands in `schema.graphql`",
    Code.RATE_LIMITED: "the key asks too often, or too much in a minute; ask again after `Retry-After` seconds",
    Code.TOO_SLOW: "the answer took longer than the service waits; ask for less",
    Code.BAD_CURSOR: "`after` is no cursor of this list; pass `endCursor` or an edge's `cursor` as it came",
    Code.BAD_DATE: "a DateTime needs ISO 8601 with an offset",
    Code.BAD_ID: "the id is none that this service gave out",
    Code.FIRST_OUT_OF_RANGE: "`first` is a number from 1 to 100",
    Code.TOO_MANY_VALUES: "a list of values is longer, a text larger, or a request has more values, than is allowed",
    Code.NAMESPACE_INVALID: "a namespace is small letters, digits, `_` and `.`, begins with a letter, at most 64 long",
    Code.IDENTIFIER_EMPTY: "the identifier's value is empty once invisible characters are gone",
    Code.IDENTIFIER_BLOCKED: "the policy blocks the value: a placeholder that many people share",
    Code.IDENTIFIER_TOO_LONG: "the identifier's value is longer than the policy allows",
    Code.IDENTIFIER_INVALID: "the value is none of its namespace: no email address, phone number or hash",
    Code.UNKNOWN_PROFILE: "no profile has this id, where one is needed",
    Code.ERASED: "what had this id was erased; the id itself is all that is kept",
    Code.ERASURE_KEY: "nothing can be erased: the service has no key of erasures, or another one than the first",
    Code.UNKNOWN_TRAIT: "the policy names no such trait, so profiles cannot be found by it",
    Code.TRAIT_NAME: "a trait's name has 1 to 512 bytes, all of which can be seen",
    Code.VALUE_INVALID: "a value to compare with is a text, a number or a truth value; one to set is whole text",
    Code.NOT_OF_THE_PAST: "nobody kept the past of this field; `extensions.field` names it",
    Code.SEGMENT_INVALID: "the definition cannot be used; `extensions.problems` lists each place and reason",
    Code.SEGMENT_NAME: "a segment's name has 1 to 100 characters that can be seen",
    Code.UNKNOWN_SEGMENT: "no segment is kept under this name; `segments` lists those that are",
    Code.TOO_MANY_SEGMENTS: "100 segments are kept; define one of their names again instead",
    Code.WEBHOOK_URL: "nothing can be sent to this URL: it is no http or https one, or leads inside this network",
    Code.WEBHOOK_TOPICS: "an endpoint is told of one topic at least; leave `topics` out for all",
    Code.TOO_MANY_ENDPOINTS: "there are 100 endpoints of webhooks; remove one first",
    Code.BAD_SEQUENCE: "`after` is no sequence of a subscription; pass `sequence` of an event as it came",
    Code.SEQUENCE_GONE: "what came after this sequence is no longer kept; read anew, and subscribe without `after`",
    Code.UNKNOWN_RUN: "no run of a load has this id; `selfsame runs` lists them",
    Code.SUBSCRIPTION_TRANSPORT: "subscriptions are asked over a WebSocket, or with `Accept: text/event-stream`",
    Code.TOO_MANY_SUBSCRIPTIONS: "so many subscriptions are open that no more are taken; end one, or come again later",
    Code.KEY_ENDED: "the key of this subscription opens nothing any more; subscribe again with another one",
    Code.IDEMPOTENCY_KEY: "an idempotency key has 1 to 200 characters",
    Code.IDEMPOTENCY_CONFLICT: "this idempotency key was used for something else; take a new one for another wish",
    Code.DATABASE_AWAY: "Neo4j does not answer; the same request may be sent again after `Retry-After` seconds",
    Code.POLICY_APPLYING: "a policy is being applied; the same mutation may be sent again after `Retry-After` seconds",
    Code.UNEXPECTED: "a fault in Selfsame itself; the service's log has the cause",
}


def refused(code: Code, sentence: str | None = None, **extensions: object) -> GraphQLError:
    """The error that tells a caller what to change; its sentence is the table's where none is given."""
    return GraphQLError(sentence or MEANINGS[code], extensions={"code": code.value, **extensions})


def with_code(error: GraphQLError, code: Code) -> GraphQLError:
    """An error with a code: its own where it has one."""
    if not (error.extensions or {}).get("code"):
        error.extensions = {**(error.extensions or {}), "code": code.value}
    return error
