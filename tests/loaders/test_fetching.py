"""What a webhook only names: where it is asked for, how, and what is no answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from identity.messages import Authority, Json
from loaders.errors import MappingInvalidError
from loaders.fetching import NotFetchedError, checked_url, fetch
from loaders.formats.records import Found
from loaders.mapping import mapping_named
from loaders.translating import translated
from tests.loaders.mappings import shipped
from tests.loaders.segment import NOW

FACEBOOK = mapping_named("facebook")


@dataclass
class Vendor:
    """A vendor's API on this machine. answers: statuses and bodies in turn, the last one again and again."""

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def vendor(*answers: tuple[int, bytes]) -> Iterator[Vendor]:
    """A vendor that answers so, until the end of the block."""
    played = Vendor(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.asked.append((self.path, self.headers["authorization"]))
            status, body = played.answers.pop(0) if len(played.answers) > 1 else played.answers[0]
            self.send_response(status)
            self.send_header("location", f"{played.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        played.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield played
        finally:
            server.shutdown()
            thread.join()


def lead(leadgen_id: str = "55", **more: Json) -> dict[str, Json]:
    value: Json = {"leadgen_id": leadgen_id, "form_id": "66", "ad_id": "77", "created_time": 1768140000, **more}
    return {"body": {"field": "leadgen", "value": value}, "headers": {}}


def address(record: Json, api: str | None = None) -> str | None:
    assert FACEBOOK.webhook is not None
    assert FACEBOOK.webhook.fetch is not None
    return FACEBOOK.webhook.fetch.address(record, api)


def test_a_lead_is_asked_for_at_the_vendors_host_whatever_its_id_says() -> None:
    assert (address(lead()) or "").startswith("https://graph.facebook.com/v24.0/55?fields=id,")
    assert (address(lead(), "http://127.0.0.1:9/") or "").startswith("http://127.0.0.1:9/v24.0/55?")
    assert "/v24.0/..%2F%40evil.example%3Fa%23?" in (address(lead("../@evil.example?a#")) or "")
    assert [address(lead(each)) for each in ("", "..")] == [None, None]


def test_what_is_whole_is_not_asked_for() -> None:
    assert address(lead(field_data=[{"name": "email", "values": ["a@x.com"]}])) is None
    assert address({"body": {"field": "feed", "value": {"leadgen_id": "55"}}, "headers": {}}) is None
    assert address({"body": [], "headers": {}}) is None


@pytest.mark.parametrize("url", ["http://a.example/{id}", "https://{id}.example/", "https://a.example/", "a/{id}"])
def test_an_address_that_a_record_could_bend_is_no_address(url: str) -> None:
    with pytest.raises(MappingInvalidError, match="write https://"):
        checked_url(url, "webhook.fetch.url")


def test_the_token_goes_along_in_a_header_and_never_to_another_address() -> None:
    with vendor((200, b'{"id": "55"}'), (302, b"")) as played:
        assert fetch(f"{played.url}/55", "page-token") == {"id": "55"}
        with pytest.raises(NotFetchedError, match="answers 302"):
            fetch(f"{played.url}/55", "page-token")
        assert played.asked == [("/55", "Bearer page-token")] * 2


@pytest.mark.parametrize(("status", "body"), [(400, b"{}"), (500, b""), (200, b"[]"), (200, b"{"), (200, b"")])
def test_what_is_no_answer_is_told_without_quoting_it(status: int, body: bytes) -> None:
    with vendor((status, body)) as played, pytest.raises(NotFetchedError, match=r"answer"):
        fetch(f"{played.url}/55", "page-token")


def test_nobody_at_the_address_is_no_answer() -> None:
    with vendor((200, b"{}")) as played:
        gone = played.url
    with pytest.raises(NotFetchedError, match="does not answer"):
        fetch(f"{gone}/55", "page-token")


ANSWERS: Json = {"field_data": [{"name": "email", "values": ["nora@x.com"]}, {"name": "color", "values": ["red"]}]}


def told(name: str, record: Json) -> tuple[str, str | None, set[str]]:
    (message,) = translated(Found(record, "w", "raw"), shipped(name), NOW).messages
    assert message.warnings == ()
    claimed = {each.value for each in message.sightings if each.authority is Authority.CLAIMED}
    return message.message_id, message.name, claimed


def test_a_lead_has_one_id_whichever_way_its_answers_come_and_another_until_then() -> None:
    assert told("facebook", lead()) == ("lead:55:announced", "Lead Ad Announced", set())
    assert told("facebook", {**lead(), "fetched": ANSWERS}) == ("lead:55", "Lead Ad Answered", {"nora@x.com"})
    row: Json = {"id": "l:55", "created_time": "2026-01-11T14:00:00+00:00", "ad_id": "ag:77", "form_id": "f:66"}
    row |= {"campaign_id": "c:9", "platform": "fb", "email": "nora@x.com", "phone_number": "p:+442079460070"}
    assert told("facebook_leads", row) == ("lead:55", "Lead Ad Answered", {"nora@x.com", "+442079460070"})


def test_of_a_form_no_question_has_to_be_there() -> None:
    asked = {name for _, name in shipped("facebook_leads").asked}
    assert asked == {"id", "created_time", "form_id", "ad_id", "campaign_id", "platform"}
