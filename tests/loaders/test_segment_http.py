"""Whole bodies: good messages beside bad ones, compression, and everything that is no JSON."""

import gzip
import zlib
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json, Message, Rejection
from loaders.errors import BodyInvalidError, BodyTooLargeError
from loaders.segment_http import decoded_body, parse_batch, parse_single, write_key_in
from tests.loaders.segment import NOW, WEB, body, item, pairs

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANY_JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)
FIELDS = st.sampled_from(
    ["type", "userId", "anonymousId", "traits", "properties", "context", "timestamp", "originalTimestamp", "sentAt",
     "messageId", "groupId", "previousId", "event", "name", "category", "channel", "email", "device", "externalIds",
     "order_id", "products", "id", "collection", "encoding"]
)  # fmt: skip
NESTED = st.recursive(
    SCALARS | st.sampled_from(["track", "identify", "group", "alias", "page"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)
ITEMS = ANY_JSON | st.dictionaries(FIELDS, NESTED, max_size=10)


def text(value: Json) -> bytes:
    """JSON with everything Python writes, numbers beyond 64 bits and half surrogate pairs too."""
    return body_of(value).encode("ascii")


def body_of(value: object) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{body_of(str(name))}:{body_of(each)}" for name, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(body_of, value)) + "]"
        case str():
            return '"' + "".join(_escaped(letter) for letter in value) + '"'
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case _:
            return repr(value)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


@given(st.lists(ITEMS, max_size=6), ITEMS, ITEMS)
def test_any_json_as_messages_gives_an_answer_for_each(items: list[Json], sent_at: Json, context: Json) -> None:
    answers = parse_batch(text({"batch": items, "sentAt": sent_at, "context": context}), WEB, NOW)
    assert len(answers) == len(items)
    for number, each in enumerate(answers):
        assert isinstance(each, Message) or each.place.startswith(f"batch[{number}]")


@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_whatever_becomes_a_message_can_be_written(items: list[Json]) -> None:
    for each in parse_batch(text({"batch": items}), WEB, NOW):
        if isinstance(each, Message):
            orjson.dumps([dict(each.traits), dict(each.properties), dict(each.context)])
            assert each.at <= each.received_at


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda some: b'{"batch":[' + some.encode() + b"]}"))
def test_any_bytes_as_a_body_are_read_or_refused(some: bytes) -> None:
    for parse in (lambda: parse_batch(some, WEB, NOW), lambda: parse_single("track", some, WEB, NOW)):
        with suppress(BodyInvalidError):
            parse()


@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "br", "identity"]))
def test_any_bytes_are_unpacked_or_refused(some: bytes, encoding: str) -> None:
    for raw in (some, b"\x1f\x8b" + some, gzip.compress(some)[: len(some) + 5]):
        with suppress(BodyInvalidError):
            decoded_body(raw, encoding)


def test_good_messages_beside_bad_ones_are_kept() -> None:
    answers = parse_batch(body(item(), 3, {"type": "x"}, item(userId="u")), WEB, NOW)
    assert [type(each) for each in answers] == [Message, Rejection, Rejection, Message]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"type":"track","userId":"\xff"}', "not_json"),
        (b'{"type":"track","userId":1e999}', "not_json"),
        (b'{"type":"track","userId":"u","x":' + b"[" * 100 + b"]" * 100 + b"}", "not_json"),
    ],
)
def test_one_message_that_is_no_json_does_not_spoil_the_others(bad: bytes, code: str) -> None:
    first, second = parse_batch(b'{"batch":[' + bad + b"," + orjson.dumps(item()) + b"]}", WEB, NOW)
    assert isinstance(first, Rejection)
    assert (first.code, first.place, type(second)) == (code, "batch[0]", Message)


def test_half_an_emoji_spoils_nothing() -> None:
    (answer,) = parse_batch(
        rb'{"batch":[{"type":"track","userId":"a\ud83d","event":"\\ud83d \ud83d\ude00"}]}', WEB, NOW
    )
    assert isinstance(answer, Message)
    assert (pairs(answer), answer.name) == ([("user_id", "a\ufffd")], "\\ud83d 😀")


def test_numbers_beyond_64_bits_keep_their_digits() -> None:
    (answer,) = parse_batch(
        b'{"batch":[{"type":"track","userId":99999999999999999999,"properties":{"n":-99999999999999999999}}]}', WEB, NOW
    )
    assert isinstance(answer, Message)
    assert pairs(answer) == [("user_id", "9" * 20)]
    assert answer.properties == {"n": "-" + "9" * 20}


def test_of_a_key_that_comes_twice_the_last_stands() -> None:
    (answer,) = parse_batch(b'{"batch":[],"batch":[{"type":"track","userId":"a","userId":"b"}]}', WEB, NOW)
    assert isinstance(answer, Message)
    assert pairs(answer) == [("user_id", "b")]


@pytest.mark.parametrize(
    "bad",
    [b"", b"{", b"[]", b"3", b'{"batch":{}}', b'{"batch":null}', b"{}", b'{"batch":[{]}', b"\x00", b"NaN",
     b'{"batch":' + b"[" * 100_000 + b"]" * 100_000 + b"}", '{"batch":[]}'.encode("utf-16")],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused_as_a_whole(bad: bytes) -> None:
    with pytest.raises(BodyInvalidError, match="body"):
        parse_batch(bad, WEB, NOW)


def test_a_body_above_5_mb_is_refused() -> None:
    with pytest.raises(BodyTooLargeError):
        parse_batch(b" " * (5 * 1024 * 1024 + 1), WEB, NOW)
    with pytest.raises(BodyTooLargeError):
        parse_batch(b'{"batch":[' + b"1," * 100_001 + b"1]}", WEB, NOW)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_batch(b"\xef\xbb\xbf" + body(item()), WEB, NOW) == parse_batch(body(item()), WEB, NOW)


def test_the_context_of_a_batch_is_each_messages_unless_it_says_otherwise() -> None:
    context: Json = {"device": {"id": "d1"}, "ip": "1.1.1.1"}
    one, other = parse_batch(body(item(), item(context={"ip": "2.2.2.2"}), context=context), WEB, NOW)
    assert isinstance(one, Message)
    assert isinstance(other, Message)
    assert (one.context["ip"], other.context["ip"], pairs(other)[-1]) == ("1.1.1.1", "2.2.2.2", ("device_id", "d1"))


def test_a_single_call_takes_its_kind_from_the_address() -> None:
    answer = parse_single("identify", orjson.dumps({"userId": "u1", "type": "track"}), WEB, NOW)
    assert isinstance(answer, Message)
    assert answer.kind == "identify"


def test_a_single_call_is_rejected_as_a_message_or_refused_as_a_body() -> None:
    answer = parse_single("track", b"{}", WEB, NOW)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.place) == ("no_identifier", "body")
    with pytest.raises(BodyInvalidError):
        parse_single("track", b"[]", WEB, NOW)


@pytest.mark.parametrize(
    ("sent", "key"),
    [(b'{"writeKey":"k","batch":[]}', "k"), (b'{"userId":"u","writeKey":"k"}', "k"), (b'{"writeKey":3}', None),
     (b"{}", None), (b"[]", None), (b"nonsense", None), (b'{"writeKey":""}', None), (b"[" * 9_999, None)],
)  # fmt: skip
def test_the_write_key_of_a_body_is_found(sent: bytes, key: str | None) -> None:
    assert write_key_in(sent) == key


class TestCompression:
    def test_gzip_is_known_by_its_first_bytes_whatever_the_headers_say(self) -> None:
        for encoding in ("gzip", "", "identity", "X-GZIP"):
            assert decoded_body(gzip.compress(b"{}"), encoding) == b"{}"

    def test_a_header_may_promise_gzip_in_vain(self) -> None:
        assert decoded_body(b"{}", "gzip") == b"{}"

    def test_several_members_are_one_body(self) -> None:
        assert decoded_body(gzip.compress(b'{"a"') + gzip.compress(b":1}"), "gzip") == b'{"a":1}'

    def test_a_bomb_is_refused(self) -> None:
        with pytest.raises(BodyTooLargeError):
            decoded_body(gzip.compress(b"0" * 50_000_000), "gzip")
        with pytest.raises(BodyInvalidError, match="members"):
            decoded_body(gzip.compress(b"") * 200, "gzip")

    def test_what_is_cut_off_or_broken_is_refused(self) -> None:
        whole = gzip.compress(b'{"batch":[]}' * 100)
        for broken in (whole[:-5], whole[:5], b"\x1f\x8bnonsense", whole[:20] + b"????" + whole[24:]):
            with pytest.raises(BodyInvalidError, match="gzip"):
                decoded_body(broken, "gzip")

    def test_other_compressions_are_refused_by_name(self) -> None:
        with pytest.raises(BodyInvalidError, match="br"):
            decoded_body(zlib.compress(b"{}"), "br")
