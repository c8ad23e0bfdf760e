"""What one Segment-shaped message says: identifiers, times, names, accounts, things."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.messages import About, AccountStatement, Authority, Json, MessageKind, SourceName, Subject
from loaders.segment_http import parse_batch
from loaders.sources import Source
from tests.loaders.segment import NOW, WEB, body, codes, item, message, pairs, rejection

EVERYWHERE: dict[str, Json] = {
    "type": "identify",
    "userId": "u1",
    "anonymousId": "a1",
    "traits": {"email": "Ann@x.com", "phone": "0113 496 0001"},
    "properties": {"email": "p@x.com", "phone": "1"},
    "context": {
        "traits": {"email": "c@x.com", "phone": "2"},
        "device": {"id": "d1", "advertisingId": "ad1", "token": "push1"},
        "externalIds": [{"id": "b1", "type": "Braze_ID", "collection": "users", "encoding": "none"}],
    },
}


def test_every_place_of_an_identifier_is_read_as_it_was_sent() -> None:
    assert set(pairs(message(EVERYWHERE))) == {
        ("user_id", "u1"), ("anonymous_id", "a1"),
        ("email", "Ann@x.com"), ("email", "p@x.com"), ("email", "c@x.com"),
        ("phone", "0113 496 0001"), ("phone", "1"), ("phone", "2"),
        ("device_id", "d1"), ("advertising_id", "ad1"), ("push_token", "push1"), ("braze_id", "b1"),
    }  # fmt: skip


def test_a_sighting_says_where_it_stood() -> None:
    places = {each.value: each.place for each in message(EVERYWHERE).sightings}
    assert (places["u1"], places["Ann@x.com"], places["b1"]) == ("userId", "traits.email", "context.externalIds[0]")


@pytest.mark.parametrize(
    ("sent", "text"),
    [("u", "u"), (42, "42"), (42.0, "42"), (1.5, "1.5"), (True, "true"), ("", ""), ("  ", "  ")],
)
def test_an_identifier_of_any_scalar_type_is_its_text(sent: Json, text: str) -> None:
    assert pairs(message(item(userId=sent)))[0] == ("user_id", text)


def test_null_is_absent_and_warns_of_nothing() -> None:
    answer = message(item(userId=None, traits=None, context=None, properties=None, messageId=None, timestamp=None))
    assert (pairs(answer), answer.warnings) == ([("anonymous_id", "a1")], ())


@pytest.mark.parametrize("sent", [[], {}, ["u"], {"id": "u"}])
def test_an_identifier_that_is_no_scalar_is_ignored_with_a_warning(sent: Json) -> None:
    answer = message(item(userId=sent))
    assert (pairs(answer), codes(answer)) == ([("anonymous_id", "a1")], [("invalid_identifier", "userId")])


def test_a_second_user_id_in_the_traits_is_seen() -> None:
    assert pairs(message(item("identify", userId="u1", traits={"user_id": "u2"})))[::2] == [
        ("user_id", "u1"),
        ("user_id", "u2"),
    ]


@pytest.mark.parametrize(
    "external",
    [
        "x", None, {}, {"id": "1"}, {"type": "t"}, {"id": "1", "type": "no space"}, {"id": "1", "type": "9x"},
        {"id": "1", "type": "t", "collection": "accounts"}, {"id": "1", "type": "t", "encoding": "md5"},
        {"id": [], "type": "t"}, {"id": "1", "type": "t", "collection": []}, {"id": "1", "type": "t", "encoding": {}},
        {"id": "1", "type": "x" * 65},
    ],
)  # fmt: skip
def test_an_external_id_that_says_too_little_is_ignored_with_a_warning(external: Json) -> None:
    answer = message(item(context={"externalIds": [external]}))
    assert (pairs(answer), codes(answer)) == (
        [("anonymous_id", "a1")],
        [("invalid_external_id", "context.externalIds[0]")],
    )


def test_a_hashed_email_among_the_external_ids_is_one() -> None:
    external: Json = {"id": "ab", "type": "email", "encoding": "sha256"}
    assert pairs(message(item(context={"externalIds": [external]})))[-1] == ("email_sha256", "ab")


def test_traits_of_an_identify_may_stand_in_the_context_alone() -> None:
    answer = message(item("identify", traits={"name": "Ann"}, context={"traits": {"name": "A", "plan": "gold"}}))
    assert answer.traits == {"name": "Ann", "plan": "gold"}
    assert message(item(context={"traits": {"plan": "gold"}})).traits == {}


@pytest.mark.parametrize("kind", ["identify", "track", "page", "group"])
def test_what_was_agreed_to_stands_in_the_context_of_any_message(kind: str) -> None:
    said: dict[str, Json] = {"consent": {"categoryPreferences": {"Ads": True, "Functional": False}}}
    told = message(item(kind, context=said, groupId="g1"))
    assert (told.traits, codes(told)) == ({"consent.Ads": True, "consent.Functional": False}, [])


def test_a_preference_that_is_neither_true_nor_false_is_ignored_with_a_warning() -> None:
    told = message(item(context={"consent": {"categoryPreferences": {"Ads": "yes", "Functional": True}}}))
    assert told.traits == {"consent.Functional": True}
    assert codes(told) == [("invalid_consent", "context.consent.categoryPreferences")]


def test_a_group_says_who_belongs_to_what() -> None:
    answer = message(item("group", groupId=7, traits={"name": "Acme", "email": "info@acme.com"}))
    assert answer.account == AccountStatement("account:7", {"name": "Acme", "email": "info@acme.com"})
    assert (answer.traits, pairs(answer)) == ({}, [("anonymous_id", "a1")])


@pytest.mark.parametrize("sent", [None, "", "  ", [], "x" * 513])
def test_a_group_without_a_usable_id_is_kept_with_a_warning(sent: Json) -> None:
    """T71."""
    answer = message(item("group", groupId=sent))
    assert (answer.account, codes(answer)) == (None, [("no_group_id", "groupId")])


def test_an_alias_keeps_the_former_id_as_it_was_sent() -> None:
    answer = message({"type": "alias", "previousId": " a1 ", "userId": "u1", "anonymousId": None})
    assert (answer.previous_id, pairs(answer)) == (" a1 ", [("user_id", "u1")])
    assert codes(message(item("alias"))) == [("no_previous_id", "previousId")]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"kind": "track", "event": "Signed Up"}, "Signed Up"),
        ({"kind": "page", "name": "Home", "category": "Shop"}, "Home"),
        ({"kind": "screen", "category": "Shop"}, "Shop"),
        ({"kind": "identify", "name": "no"}, None),
    ],
)
def test_a_message_is_named_by_what_its_kind_calls_the_name(sent: dict[str, str], name: str | None) -> None:
    assert message(item(**sent)).name == name


def test_the_category_of_a_page_is_among_its_properties() -> None:
    assert message(item("page", category="Shop", properties={"path": "/"})).properties == {
        "path": "/",
        "category": "Shop",
    }


def test_a_very_long_name_is_cut_with_a_warning() -> None:
    answer = message(item(event="ü" * 300))
    assert (answer.name, codes(answer)) == ("ü" * 256, [("too_long", "event")])


def test_a_track_without_a_name_is_kept() -> None:
    assert codes(message(item(event=None))) == [("no_event_name", "event")]


def test_payloads_round_trip() -> None:
    given: Json = {"a": [1, 2.5, None, {"ü": "\u0000"}], "b": True}
    answer = message(item(properties=given, context=given))
    assert (answer.properties, answer.context) == (given, given)


def test_what_should_be_an_object_and_is_none_is_ignored_with_a_warning() -> None:
    answer = message(item(properties="x", context=[1], traits=3))
    assert (answer.properties, answer.context, answer.traits) == ({}, {}, {})
    assert {code for code, _ in codes(answer)} == {"not_an_object"}


def test_authority_and_region_are_the_sources() -> None:
    source = Source(name=SourceName("server"), authority=Authority.VERIFIED, region="DE")
    (answer,) = parse_batch(body(item()), source, NOW)
    assert (answer.authority, answer.region, answer.sightings[0].authority) == (  # type: ignore[union-attr]  # a Message
        Authority.VERIFIED,
        "DE",
        Authority.VERIFIED,
    )


class TestTimes:
    def test_the_original_timestamp_goes_before_the_timestamp(self) -> None:
        answer = message(item(originalTimestamp="2026-06-01T10:00:00.123Z", timestamp="2026-06-02T10:00:00Z"))
        assert answer.own_time == datetime(2026, 6, 1, 10, 0, 0, 123_000, tzinfo=UTC)

    def test_a_clock_that_is_wrong_moves_only_what_is_shown(self) -> None:
        answer = message(item(originalTimestamp="2026-07-01T09:00:00Z", sentAt="2026-07-01T09:30:00Z"))
        assert answer.own_time == datetime(2026, 7, 1, 9, tzinfo=UTC)
        assert answer.at == NOW - timedelta(minutes=30)

    def test_the_body_says_when_it_was_sent_where_the_message_does_not(self) -> None:
        answer = message(item(originalTimestamp="2026-07-01T09:00:00Z"), sentAt="2026-07-01T09:30:00Z")
        assert answer.at == NOW - timedelta(minutes=30)

    def test_a_timestamp_alone_is_corrected_where_the_clock_is_a_minute_wrong(self) -> None:
        """What is less may be the way of the message, and who chose the time shall read it as it was chosen."""
        answer = message(item(timestamp="2026-06-01T10:00:00+02:00", sentAt="2026-07-01T11:59:30Z"))
        assert answer.at == answer.own_time == datetime(2026, 6, 1, 8, tzinfo=UTC)
        wrong = message(item(timestamp="2026-06-01T10:00:00+02:00", sentAt="2026-07-01T09:30:00Z"))
        assert wrong.at == datetime(2026, 6, 1, 10, 30, tzinfo=UTC)

    def test_an_archive_says_itself_when_a_message_was_received(self) -> None:
        archived = item(originalTimestamp="2024-01-01T10:00:00Z", sentAt="2024-01-01T10:00:01Z")
        answer = message(archived | {"receivedAt": "2024-01-01T10:05:01Z"})
        assert answer.at == datetime(2024, 1, 1, 10, 5, tzinfo=UTC)

    @pytest.mark.parametrize("sent", ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", None])
    def test_a_time_out_of_range_is_shown_as_the_receipt_and_kept_raw(self, sent: str | None) -> None:
        """T65."""
        answer = message(item(timestamp=sent))
        assert (answer.at, answer.sure) == (NOW, False)
        assert answer.own_time == (datetime.fromisoformat(sent) if sent else None)

    @pytest.mark.parametrize(
        "sent", ["yesterday", "", 1_700_000_000, {}, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9" * 400]
    )
    def test_a_bad_time_is_missing_and_the_message_is_kept(self, sent: Json) -> None:
        answer = message(item(timestamp=sent))
        assert (answer.own_time, answer.at, codes(answer)) == (None, NOW, [("invalid_time", "timestamp")])

    def test_a_time_without_a_zone_is_utc(self) -> None:
        assert message(item(timestamp="2026-06-01T10:00:00")).own_time == datetime(2026, 6, 1, 10, tzinfo=UTC)


class TestIds:
    def test_the_id_is_the_senders(self) -> None:
        assert message(item(messageId="m-1")).id == "web:m-1"

    def test_without_one_the_hash_of_the_message_stands_in(self) -> None:
        answer = message(item())
        assert answer.message_id == answer.digest

    @pytest.mark.parametrize("sent", ["", " ", [], "x" * 513])
    def test_one_that_cannot_be_kept_is_replaced_with_a_warning(self, sent: Json) -> None:
        answer = message(item(messageId=sent))
        assert (answer.message_id, codes(answer)) == (answer.digest, [("invalid_message_id", "messageId")])

    def test_sending_again_changes_nothing_that_is_compared(self) -> None:
        first = message(item(messageId="m", sentAt="2026-07-01T09:00:00Z", _metadata={"retries": 1}))
        again = message({"event": "Viewed", **item(messageId="m", sentAt="2026-07-01T10:00:00Z"), "writeKey": "k"})
        assert first.digest == again.digest
        assert message(item(messageId="m", properties={"x": 1})).digest != first.digest


class TestThings:
    def test_an_order_and_its_products_are_what_it_is_about(self) -> None:
        products: Json = [{"product_id": 1, "name": "Tent", "quantity": 2}, {"sku": "S-2"}, {"name": "no id"}, "x"]
        answer = message(item(properties={"order_id": "o1", "total": 12.5, "email": "a@x.com", "products": products}))
        assert answer.about == (
            About(Subject.ORDER, "web:o1", {"total": 12.5}),
            About(Subject.PRODUCT, "web:1", {"name": "Tent"}),
            About(Subject.PRODUCT, "web:S-2", {}),
        )

    def test_the_price_of_a_listed_product_is_in_the_currency_of_its_order(self) -> None:
        products: Json = [{"sku": "1", "price": 3}, {"sku": "2", "price": 4, "currency": "EUR"}, {"sku": "3"}]
        answer = message(item(properties={"products": products, "currency": "GBP"}))
        facts = [each.facts for each in answer.about]
        assert facts == [{"price": 3, "currency": "GBP"}, {"price": 4, "currency": "EUR"}, {}]

    def test_a_product_may_stand_alone(self) -> None:
        answer = message(item(properties={"sku": "S-1", "price": 3}))
        assert answer.about == (About(Subject.PRODUCT, "web:S-1", {"price": 3}),)

    def test_no_more_than_50_products_are_kept(self) -> None:
        answer = message(item(properties={"products": [{"sku": str(number)} for number in range(60)]}))
        assert (len(answer.about), codes(answer)) == (50, [("too_many", "properties.products")])

    @pytest.mark.parametrize("order_id", ["", None, [], "x" * 600])
    def test_an_order_without_a_usable_id_is_none(self, order_id: Json) -> None:
        assert message(item(properties={"order_id": order_id})).about == ()


class TestRejections:
    @pytest.mark.parametrize(
        ("sent", "code", "place"),
        [
            (3, "not_an_object", "batch[0]"),
            ({"userId": "u"}, "unknown_type", "batch[0].type"),
            ({"type": "tracks", "userId": "u"}, "unknown_type", "batch[0].type"),
            ({"type": ["track"], "userId": "u"}, "unknown_type", "batch[0].type"),
            ({"type": "track", "event": "E"}, "no_identifier", "batch[0]"),
            ({"type": "track", "userId": None, "anonymousId": None}, "no_identifier", "batch[0]"),
            (item(properties={"x": "y" * 40_000}), "too_large", "batch[0]"),
        ],
    )
    def test_what_cannot_be_used_says_where_and_why(self, sent: Json, code: str, place: str) -> None:
        answer = rejection(sent)
        assert (answer.code, answer.place) == (code, place)
        assert answer.sentence
        assert answer.raw is not None

    def test_the_id_of_a_rejected_message_is_told(self) -> None:
        assert rejection({"type": "x", "messageId": "m1"}).message_id == "m1"

    def test_kinds_are_the_six(self) -> None:
        assert {message(item(kind, userId="u")).kind for kind in MessageKind} == set(MessageKind)

    def test_the_source_names_the_message(self) -> None:
        assert message(item()).source == WEB.name
