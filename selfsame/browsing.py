"""Which web pages may ask at /graphql, and that no page asks without leave.

A page of another origin is let in where its key, or the settings, name its origin exactly. Its browser asks first (a
preflight) whatever has a header of its own; who asks is told yes, for the request itself brings the key that decides.

What browsers send without asking first (GET, or POST of a simple content type, without a header of its own) could act
with credentials that a browser adds by itself, such as those of HTTP Basic once typed into its dialog. Such a request
of another page is refused, as Apollo Server does it. Requests of no browser carry none of its headers and pass.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from graph.keys import ApiKey
from selfsame.collecting import Answer
from selfsame.origins import HEADER_NAMES, Origins
from selfsame.refusals import PREFLIGHT_NEEDED, READING_REFUSED, Refusal

# Any of these, like a bearer's token, makes a browser ask first.
ASKED_FIRST = ("apollo-require-preflight", "graphql-require-preflight", "x-apollo-operation-name", "x-requested-with")
EXPOSED = "Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate"
REMEMBERED_SECONDS = 7_200  # browsers remember a preflight no longer


def for_pages(answer: Answer) -> Answer:
    """An endpoint that answers preflights, and whose answers pages can read; `page_refused` says who gets one."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return _leave(request)
        answered = await answer(request)
        if (origin := request.headers.get("origin")) is not None:
            answered.headers.update(
                {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED, "Vary": "Origin"}
            )
        return answered

    return endpoint


def page_refused(request: Request, key: ApiKey, origins: Origins) -> Refusal | None:
    """Why a page may not ask this with this key; None when it may, or when it is no page that asks.

    origins: of the pages that may use a key that names none.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "")
    if site in ("same-origin", "none") or (site == "" and origin is None) or is_own(origin, request.headers):
        return None
    if not _asked_first(request):
        return PREFLIGHT_NEEDED
    return None if may_ask(origin, key, origins) else READING_REFUSED


def is_own(origin: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a page is one of the service itself."""
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


def may_ask(origin: str | None, key: ApiKey, origins: Origins) -> bool:
    """Whether pages of an origin may ask with a key; origins: those that may use one that names none."""
    return (Origins(frozenset(key.origins)) if key.origins else origins).allow(origin)


def _asked_first(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = request.method == "POST" and kind in ("application/json", "application/graphql-response+json")
    bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
    return is_json or bearer or any(request.headers.get(name) for name in ASKED_FIRST)


def _leave(request: Request) -> Response:
    """Never with credentials, so that a browser adds none of its own."""
    asked = request.headers.get("access-control-request-headers", "")
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": request.headers.get("origin", ""),
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": asked if HEADER_NAMES.fullmatch(asked) else "",
            "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
            "Vary": "Origin, Access-Control-Request-Headers",
        },
    )
