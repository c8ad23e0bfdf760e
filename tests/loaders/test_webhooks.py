"""The `[webhook]` part of a mapping, and what is read from a request whose signature is right."""

import gzip
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Authority, Json, Rejection
from loaders.errors import MappingInvalidError
from loaders.formats.records import Found
from loaders.mapping import SourceMapping, mapping_from_toml, mapping_named
from loaders.mapping_text import Local
from loaders.translating import translated
from loaders.webhooks import Asked, Content, answer_to, contact_for, records_in
from tests.loaders.segment import NOW

HOOK = """
source = "shop"
authority = "verified"

[webhook]
headers = ["X-Topic"]
parse = ["inner", "inner.more"]

[webhook.signature]
header = "X-Sign"

[[webhook.contact]]
method = "GET"
when = 'query."hub.mode" == `"subscribe"`'
token = 'query."hub.token"'
answer = 'query."hub.challenge"'

[[webhook.contact]]
signed = true
when = "body.type == 'hello'"
answer = "body.challenge"

[namespaces.shop_customer]
role = "Contact"
unique = true

[[message]]
kind = "track"
id = { template = "{headers.x_topic}:{body.id}" }
name = "headers.x_topic"
identifiers = [
  { namespace = "shop_customer", value = "body.id" },
  { namespace = "email", value = "body.email", authority = "claimed" },
]
properties = { deep = "body.inner.more.deep", key = "body.google_key" }
"""


@cache
def hook(head: str = HOOK) -> SourceMapping:
    return mapping_from_toml(head, "shop.toml")


def read(body: bytes, mapping: SourceMapping | None = None, **headers: str) -> tuple[Found, ...] | Rejection:
    made = mapping or hook()
    assert made.webhook is not None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return records_in(Content(named, body), made, made.webhook)


def record(body: bytes, mapping: SourceMapping | None = None, **headers: str) -> Found:
    found = read(body, mapping, **headers)
    assert not isinstance(found, Rejection), found
    return found[0]


def test_a_record_is_the_body_and_the_headers_that_the_mapping_lists() -> None:
    found = record(b'{"id": 7}', x_topic="orders/create", x_delivery="changes each time")
    assert found.value == {"body": {"id": 7}, "headers": {"x_topic": "orders/create"}}
    assert (found.place, found.raw) == ("webhook:shop", '{"body":{"id":7},"headers":{"x_topic":"orders/create"}}')


def test_each_identifier_has_its_own_authority() -> None:
    (message,) = translated(record(b'{"id": 7, "email": "a@x.com"}', x_topic="t"), hook(), NOW).messages
    assert [(each.namespace, each.authority) for each in message.sightings] == [
        ("shop_customer", Authority.VERIFIED),
        ("email", Authority.CLAIMED),
    ]
    assert (message.id, message.name) == ("shop:t:7", "t")


def test_a_header_that_changes_with_each_delivery_makes_no_other_message() -> None:
    one, other = (record(b'{"id": 7}', x_topic="t", x_attempt=attempt) for attempt in "12")
    assert translated(one, hook(), NOW) == translated(other, hook(), NOW)


def test_json_in_a_text_is_opened_where_the_mapping_says_so() -> None:
    body = rb'{"id": 7, "inner": "{\"more\": \"{\\\"deep\\\": 1}\"}"}'
    (message,) = translated(record(body, x_topic="t"), hook(), NOW).messages
    assert message.properties == {"deep": 1}


def test_a_form_is_an_object_of_texts() -> None:
    found = record(b"id=7&email=a%40x.com&empty=", content_type="application/x-www-form-urlencoded; charset=utf-8")
    assert found.value == {"body": {"id": "7", "email": "a@x.com", "empty": ""}, "headers": {"x_topic": None}}


def test_a_list_of_events_gives_a_record_each_with_a_place_of_its_own() -> None:
    many = HOOK.replace('parse = ["inner", "inner.more"]', 'records = "body"')
    found = read(b'[{"id": 1}, {"id": 2}]', hook(head=many))
    assert not isinstance(found, Rejection)
    assert [each.place for each in found] == ["webhook:shop[0]", "webhook:shop[1]"]
    refused = read(b'{"id": 1}', hook(head=many))
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.raw) == ("not_mappable", '{"body":{"id":1},"headers":{"x_topic":null}}')


def test_a_key_that_was_sent_along_is_kept_nowhere() -> None:
    keyed = HOOK.replace('header = "X-Sign"', 'kind = "key_in_body"\npath = "google_key"')
    found = record(b'{"id": 7, "google_key": "hush-hush"}', hook(head=keyed), x_topic="t")
    (message,) = translated(found, hook(head=keyed), NOW).messages
    assert "hush" not in found.raw
    assert message.properties == {}
    broken = read(b'{"google_key": "hush-hush"', hook(head=keyed))
    assert isinstance(broken, Rejection)
    assert broken.raw == ""


BODIES = {
    "no JSON": (b"{", "not_json"),
    "nested": (b"[" * 100_000 + b"]" * 100_000, "not_json"),
    "not so deeply nested": (b'{"a":' * 70 + b"1" + b"}" * 70, "not_json"),
    "bytes": (b"\xff\x00", "not_json"),
    "inner text that is no JSON": (b'{"inner": "{"}', "not_json"),
    "a gzip that ends too early": (b"\x1f\x8b\x08\x00", "not_unpackable"),
    "a zip bomb": (gzip.compress(b" " * 50_000_000), "not_unpackable"),
}


@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_cannot_be_read_is_told_why_and_kept(body: bytes, code: str) -> None:
    found = read(body)
    assert isinstance(found, Rejection)
    assert (found.code, found.place) == (code, "webhook:shop")
    assert found.raw


def test_numbers_beyond_64_bits_and_very_many_keys_are_read() -> None:
    found = record(b'{"id": 123456789012345678901234567890, %s}' % b",".join(b'"k%d":1' % n for n in range(100_000)))
    assert isinstance(found.value, dict)
    assert isinstance(found.value["body"], dict)
    assert found.value["body"]["id"] == "123456789012345678901234567890"


@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "application/x-www-form-urlencoded", "br"]))
def test_no_body_breaks_anything(body: bytes, header: str) -> None:
    read(body, content_type=header, content_encoding=header)


# First contacts


AGREED = "agreed-on-1"


def contacted(mapping: SourceMapping, asked: Asked, token: str | None = AGREED) -> str | None:
    assert mapping.webhook is not None
    contact = contact_for(asked, mapping.webhook)
    return "none" if contact is None else answer_to(contact, asked, token)


def subscribing(token: str) -> Asked:
    query = {"hub.mode": "subscribe", "hub.token": token, "hub.challenge": "c" * 2_000}
    return Asked("GET", signed=False, query=query, headers={})


def test_a_first_contact_hears_its_challenge_when_it_shows_the_token() -> None:
    assert contacted(hook(), subscribing("agreed-on-1")) == "c" * 1_000
    assert contacted(hook(), subscribing("agreed-on-2é")) is None
    assert contacted(hook(), subscribing(""), token=None) is None
    assert contacted(hook(), Asked("GET", signed=False, query={}, headers={})) == "none"


def test_a_signed_first_contact_is_none_when_it_is_not_signed() -> None:
    hello: Json = {"type": "hello", "challenge": "say it"}
    assert contacted(hook(), Asked("POST", signed=True, query={}, headers={}, body=hello)) == "say it"
    assert contacted(hook(), Asked("POST", signed=False, query={}, headers={}, body=hello)) == "none"


# What is refused before the first request


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('header = "X-Sign"', "", "needs a `header`"),
        ('header = "X-Sign"', 'header = "X Sign"', "is no name of a header"),
        ('header = "X-Sign"', 'kind = "key_in_body"', "needs a `path`"),
        ('header = "X-Sign"', 'header = "X-Sign"\ntimestamp_header = "X-Time"', "a time needs"),
        ('header = "X-Sign"', 'header = "X-Sign"\nsigned = "{id}{body}"', "needs an `id_header`"),
        ('header = "X-Sign"', 'header = "X-Sign"\nsigned = "{shop}{body}"', "may name body, id"),
        ('headers = ["X-Topic"]', "", "`x_topic` is none of the headers"),
        ('value = "body.id"', 'value = "id"', "begins with body or headers, not with `id`"),
        ("body.type == 'hello'", "type == 'hello'", "begins with body, headers or query"),
        ('header = "X-Sign"', 'header = "X-Sign"\ntolerance = 0', ">= 1"),
    ],
)
def test_a_mapping_whose_webhook_cannot_work_is_refused(before: str, after: str, sentence: str) -> None:
    assert before in HOOK
    with pytest.raises(MappingInvalidError, match=sentence):
        hook(head=HOOK.replace(before, after, 1))


def test_two_accounts_at_one_vendor_are_two_sources_with_namespaces_of_their_own() -> None:
    made = mapping_from_toml(HOOK, "shop.toml", Local(source="shop-eu", region="DE"))
    assert (made.source.name, made.source.region) == ("shop-eu", "DE")
    assert [each.name for each in made.source.namespaces] == ["shop_eu_customer"]
    (message,) = translated(record(b'{"id": 7, "email": "a@x.com"}', x_topic="t"), made, NOW).messages
    assert [each.namespace for each in message.sightings] == ["shop_eu_customer", "email"]
    assert message.source == "shop-eu"


def test_a_mapping_of_the_catalogue_takes_another_name_too() -> None:
    assert mapping_named("stripe", Local(source="stripe_eu")).source.namespaces[0].name == "stripe_eu_customer"
