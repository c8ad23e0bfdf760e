"""The web pages of the service, as `make explorer` builds them from explorer/: GraphiQL, without any other server.

Whoever opens a page gets the page alone; what it shows it asks at /graphql with the key that is typed into it. All
parts of a page come from here, so that it works in a network without a way out, and its browser is told to take none
from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

BUILT = Path(__file__).with_name("pages")
PAGE = "graphiql.html"
MEDIA: Mapping[str, str] = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
COMPRESSED = ".gz"

# Scripts and workers only from files of ours, and none that stands in a page. Monaco, the editor in GraphiQL, writes
# its colours into style elements, so those are let in; a style can neither act nor, with these rules, send anything.
ALLOWED: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
SAFE: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(f"{what} {whence}" for what, whence in ALLOWED.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
ALWAYS_ASKED = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"  # the name of a part holds a hash of it

UNBUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>GraphiQL · Selfsame</title>
<h1>GraphiQL is not built</h1>
<p>The service answers at <code>/graphql</code>, but this page is not part of its installation.
In a checkout, <code>make explorer</code> builds it, with the Node of the machine (20.19 or newer) or one from pip;
then start the service again.</p></html>
"""


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages in a folder. parts: what they consist of, by name, as found when the service starts."""

    folder: Path
    parts: Mapping[str, Path]

    def routes(self) -> list[Route]:
        """The page, and its parts."""
        return [Route("/graphiql", self._page), Route("/assets/{name}", self._part)]

    async def _page(self, _: Request) -> Response:
        page = self.folder / PAGE
        if not page.is_file():
            return HTMLResponse(UNBUILT, 404, {**SAFE, "Cache-Control": "no-store"})
        return FileResponse(page, headers={**SAFE, "Cache-Control": ALWAYS_ASKED}, media_type=MEDIA[page.suffix])

    async def _part(self, request: Request) -> Response:
        name = request.path_params["name"]
        part = self.parts.get(name)
        if part is None or part.suffix not in MEDIA:
            return HTMLResponse("no such part of a page; load the page again\n", 404, SAFE, "text/plain")
        headers = {**SAFE, "Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
        compressed = self.parts.get(name + COMPRESSED)
        if compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return FileResponse(
                compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=MEDIA[part.suffix]
            )
        return FileResponse(part, headers=headers, media_type=MEDIA[part.suffix])


def pages_in(folder: Path = BUILT) -> Pages:
    """The pages that a folder holds; none where nothing was built into it."""
    assets = folder / "assets"
    return Pages(folder, {each.name: each for each in assets.iterdir()} if assets.is_dir() else {})


def led_to_page(request: Request) -> Response | None:
    """The way to GraphiQL for a browser that opens /graphql without a question; None for all else."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    if "query" in request.query_params:
        return None
    return RedirectResponse("graphiql", 303, {"Cache-Control": "no-store", "Vary": "Accept"})
