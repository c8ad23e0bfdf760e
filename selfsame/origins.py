"""Which web pages may send: cross-origin requests of browsers, their preflights and their answers.

A browser tells the origin of the page. It asks first (a preflight, without any key) where a request has headers of its
own, and shows the page the answer only where the answer says that it may. Nothing here depends on cookies, so any
origin may send by default: who has a writing key could send from anywhere else, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from selfsame.errors import InputInvalidError

ANY = "*"
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/,?#@]+|null", re.IGNORECASE)
HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,1000}")
REMEMBERED_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins from which pages may send; `*` among them is any."""

    allowed: frozenset[str] = frozenset({ANY})

    def allow(self, origin: str | None) -> bool:
        """Whether a request of this origin may be taken; one without any is of no page."""
        return origin is None or ANY in self.allowed or origin.lower() in self.allowed


def origin_of(text: str) -> str:
    """An origin as browsers write it: `https://shop.example`, without a path. Raises InputInvalidError."""
    origin = text.strip().rstrip("/").lower()
    if origin != ANY and not ORIGIN.fullmatch(origin):
        raise InputInvalidError(f"`{text}` is no origin such as https://shop.example or http://localhost:3000")
    return origin


def preflight(request: Request, origins: Origins) -> Response:
    """The answer to a browser that asks whether a page may send: 204, with what it may, or without any leave."""
    if not origins.allow(request.headers.get("origin")):
        return Response(status_code=403, headers={"Vary": "Origin"})
    asked = request.headers.get("access-control-request-headers", "")
    leave = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": asked if HEADER_NAMES.fullmatch(asked) else "",
        "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
    }
    return Response(status_code=204, headers={**_leave(request), **leave})


def shared(request: Request, response: Response, origins: Origins) -> Response:
    """The answer, with leave for the page that asked to read it."""
    if request.headers.get("origin") is not None:
        response.headers["Vary"] = "Origin"
        if origins.allow(request.headers.get("origin")):
            response.headers.update({**_leave(request), "Access-Control-Expose-Headers": "Retry-After"})
    return response


def _leave(request: Request) -> Mapping[str, str]:
    """By name and not `*`: beacons come with credentials, which a browser does not send to just anybody."""
    origin = request.headers.get("origin", "")
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
