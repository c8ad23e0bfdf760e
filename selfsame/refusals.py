"""Why a request may not go on: what who stands at the door is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request may not go on: the HTTP status, a stable code, what to do, and after how many seconds."""

    status: int
    code: str
    sentence: str
    retry_after: int | None = None


RATE_LIMITED = Refusal(
    429,
    "rate_limited",
    "requests with this key, or from this address without a key that is known, come too often; send the same again "
    "after `Retry-After` seconds",
)
KEY_MISSING = Refusal(
    401,
    "key_missing",
    "send an API key: as the user name of HTTP Basic with an empty password, or as `Authorization: Bearer <key>`; "
    "`selfsame keys create --scope write|read|steward|admin` makes one",
)
KEY_UNKNOWN = Refusal(
    401,
    "key_unknown",
    "this key was never given out; `selfsame keys create --scope write|read|steward|admin` makes one",
)
KEY_EXPIRED = Refusal(
    401,
    "key_expired",
    "this key opens nothing any more; `selfsame keys create` makes another, with --expires or without",
)
KEY_REVOKED = Refusal(
    401,
    "key_revoked",
    "this key was taken back; `selfsame keys create` makes another",
)
ORIGIN_REFUSED = Refusal(
    403,
    "origin_refused",
    "pages of this origin may not send; `selfsame keys create --origin` and SELFSAME_ORIGINS say which may",
)
KEY_SCOPE = Refusal(403, "key_scope", "this key may not send messages; that needs one of scope `write`")
KEY_SCOPE_MISSING = Refusal(
    403,
    "key_scope",
    "the token may do nothing here; one of its scopes must be `selfsame:read`, `selfsame:steward` or `selfsame:admin`",
)
READING_REFUSED = Refusal(
    403,
    "origin_refused",
    "pages of this origin may not ask; `selfsame keys create --origin` and SELFSAME_READING_ORIGINS say which may",
)
PREFLIGHT_NEEDED = Refusal(
    403,
    "preflight_needed",
    "a page of another origin asks by POST of `application/json`, with `Authorization: Bearer`, or with a header "
    "`GraphQL-Require-Preflight: 1`, so that its browser asks first",
)
