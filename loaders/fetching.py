"""What a vendor's webhook only names, fetched from the vendor's own API.

The host stands in the mapping, or in the settings, never in a record: what a record says becomes one part of the path,
quoted. Redirects are not followed, for the token would go along. urllib rather than a client library: it is one GET,
seldom, in a thread of its own, and needs nothing that is not there.
"""

import re
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from identity.messages import Json
from loaders.errors import MappingInvalidError
from loaders.expressions import EvaluationError, holds
from loaders.values import Value
from loaders.wire import UnreadableJsonError, json_value, text_of

URL = re.compile(r"https://[A-Za-z0-9.-]+/[^\s{}]*\{id\}[^\s{}]*\Z")
HOST = re.compile(r"https://[^/]+")
SECONDS = 20
ANSWER_LIMIT = 4 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Fetch:
    """What of a record is to be fetched. url: with `{id}` where the text that `id` finds belongs."""

    url: str
    id: Value
    when: Value | None

    def address(self, record: Json, api: str | None) -> str | None:
        """What to ask for the rest of a record; None when it is whole. api: another host than the mapping's."""
        try:
            if self.when is not None and not holds(self.when.read(record, [])):
                return None
            id_ = text_of(self.id.read(record, []))
        except EvaluationError:
            return None
        if not id_ or id_.strip(".") == "":
            return None
        url = self.url if api is None else HOST.sub(lambda _: api.rstrip("/"), self.url, count=1)
        return url.replace("{id}", quote(id_, safe=""))


def checked_url(url: str, place: str) -> str:
    """The address of a fetch. Raises MappingInvalidError."""
    if not URL.match(url):
        raise MappingInvalidError(f"{place}: write https://, a host, and one `{{id}}` in the path behind it")
    return url


class NotFetchedError(Exception):
    """The vendor did not answer as it should. The text quotes nothing of its answer."""


class _Straight(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """None: the token was given for no other address, so a redirect is an error as any other status is."""
        del req, fp, code, msg, headers, newurl
        return None


def fetch(address: str, token: str) -> Json:
    """What a vendor answers to a GET with a token, an object of JSON; blocks up to 20 seconds.

    Raises NotFetchedError.
    """
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    request = Request(address, headers=headers)  # noqa: S310 -- the host is the mapping's or the settings'
    try:
        with build_opener(_Straight).open(request, timeout=SECONDS) as answer:
            text = answer.read(ANSWER_LIMIT + 1)
    except HTTPError as error:
        error.close()
        raise NotFetchedError(f"the vendor answers {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetchedError(f"the vendor does not answer: {type(error).__name__}") from error
    try:
        found = json_value(text) if len(text) <= ANSWER_LIMIT else None
    except UnreadableJsonError:
        found = None
    if not isinstance(found, dict):
        raise NotFetchedError("the vendor's answer is no object of JSON, or too large")
    return found
