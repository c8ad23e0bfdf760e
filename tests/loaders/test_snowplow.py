"""Events of Snowplow's tracker protocol, read by hand."""

import base64
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import About, Json, Message, MessageKind, Rejection, Subject
from loaders.errors import BodyInvalidError, BodyTooLargeError
from loaders.snowplow import app_id_in, parse_payload, payload_of, sent_events
from tests.loaders.segment import NOW, WEB, codes, pairs

MOMENT = datetime(2026, 7, 1, 10, tzinfo=UTC)
MS = str(int(MOMENT.timestamp() * 1000))
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1"
NAMES = st.sampled_from(
    ["e", "eid", "uid", "duid", "nuid", "dtm", "stm", "ttm", "aid", "page", "ue_px", "ue_pr", "cx", "co", "se_ac",
     "se_va", "tr_id", "tr_tt", "ti_sk"]
)  # fmt: skip


def payload(*events: Json) -> bytes:
    return orjson.dumps({"schema": "iglu:…/payload_data/jsonschema/1-0-4", "data": list(events)})


def read(**event: Json) -> Message:
    (answer,) = parse_payload(payload({"e": "pv", "duid": "a1", "eid": "e1", **event}), WEB, NOW)
    assert isinstance(answer, Message), answer
    return answer


def entity(name: str, /, **data: Json) -> dict[str, Json]:
    return {"schema": f"iglu:com.acme/{name}/jsonschema/1-0-0", "data": data}


def packed(value: Json) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def test_a_page_view_is_a_page_of_a_user_on_a_device() -> None:
    answer = read(
        uid="u1", nuid="n1", page="Tents", url="https://x.com/tents", refr="https://y.com", aid="shop", p="web"
    )
    assert (answer.kind, answer.name, answer.channel, answer.id) == (MessageKind.PAGE, "Tents", "web", "web:e1")
    assert pairs(answer) == [("user_id", "u1"), ("anonymous_id", "a1")]
    assert answer.properties == {"url": "https://x.com/tents", "title": "Tents", "referrer": "https://y.com"}
    assert (answer.context["app_id"], answer.context["network_userid"]) == ("shop", "n1")


def test_the_devices_time_is_corrected_and_the_true_time_stands() -> None:
    late = str(int(NOW.timestamp() * 1000) - 3_600_000)
    answer = read(dtm=MS, stm=late)
    assert (answer.own_time, answer.at) == (MOMENT, MOMENT.replace(hour=11))
    assert read(dtm="1", stm=late, ttm=MS).at == MOMENT
    wrong = read(dtm="soon", stm="9" * 40)
    assert (wrong.at, codes(wrong)) == (NOW, [("invalid_time", "dtm"), ("invalid_time", "stm")])


@pytest.mark.parametrize("packing", ["ue_px", "ue_pr"])
def test_a_self_describing_event_is_called_as_its_schema(packing: str) -> None:
    stated: Json = {"schema": UNSTRUCT, "data": entity("add_to_cart", sku="S-1", quantity=2, note="ü?>")}
    answer = read(e="ue", **{packing: packed(stated) if packing == "ue_px" else orjson.dumps(stated).decode()})
    assert (answer.kind, answer.name) == (MessageKind.TRACK, "add_to_cart")
    assert answer.properties == {"sku": "S-1", "quantity": 2, "note": "ü?>"}


def test_a_screen_view_is_a_screen() -> None:
    stated: Json = {"schema": UNSTRUCT, "data": entity("screen_view", name="Cart", id="s1")}
    answer = read(e="ue", ue_px=packed(stated))
    assert (answer.kind, answer.name) == (MessageKind.SCREEN, "Cart")


def test_a_structured_event_is_called_as_its_action() -> None:
    answer = read(e="se", se_ca="shop", se_ac="Signed Out", se_la="menu", se_pr="x", se_va="2.50")
    assert answer.name == "Signed Out"
    assert answer.properties == {"category": "shop", "label": "menu", "property": "x", "value": 2.5}


def test_a_transaction_is_about_its_order_and_an_item_about_its_product_too() -> None:
    order = read(e="tr", tr_id="o1", tr_tt="12.5", tr_cu="EUR")
    assert order.about == (About(Subject.ORDER, "web:o1", {"total": 12.5, "currency": "EUR"}),)
    line = read(e="ti", ti_id="o1", ti_sk="S-1", ti_nm="Tent", ti_pr="10")
    assert [each.key for each in line.about] == ["web:o1", "web:S-1"]


def test_contexts_are_kept_and_those_of_apps_name_the_installation_and_the_hardware() -> None:
    contexts: Json = {"schema": CONTEXTS, "data": [
        entity("client_session", userId="i1"), entity("mobile_context", appleIdfv="v1", appleIdfa="ad1"), 3,
    ]}  # fmt: skip
    answer = read(duid=None, cx=packed(contexts))
    assert pairs(answer) == [("anonymous_id", "i1"), ("device_id", "v1"), ("advertising_id", "ad1")]
    assert answer.context["contexts"][0] == {"schema": "client_session", "data": {"userId": "i1"}}  # type: ignore[index, call-overload]


def test_sending_again_changes_nothing_that_is_compared() -> None:
    assert read(stm="1782900000000").digest == read(stm="1782900009000").digest
    assert read().digest != read(page="x").digest


@pytest.mark.parametrize(
    ("event", "code"),
    [(3, "not_an_object"), ({"e": "pv"}, "no_identifier"), ({"uid": "u", "e": "ue", "ue_px": "???"}, "not_json"),
     ({"uid": "u", "cx": packed("x")[:-1]}, "not_json"), ({"uid": "u", "page": "x" * 33_000}, "too_large")],
)  # fmt: skip
def test_a_bad_event_is_rejected_by_itself_with_its_text(event: Json, code: str) -> None:
    good: Json = {"e": "pv", "uid": "u1"}
    answer, other = parse_payload(payload(event, good), WEB, NOW)
    assert isinstance(answer, Rejection)
    assert (answer.code, answer.place, type(other)) == (code, "data[0]", Message)
    assert answer.raw
    assert sent_events(payload(event, good), [1]) == {1: orjson.dumps(good).decode()}


@pytest.mark.parametrize("bad", [b"", b"[]", b"{}", b'{"data":{}}', b'{"data":' + b"[" * 9_999, b"\xff"])
def test_a_body_of_another_shape_is_refused_as_a_whole(bad: bytes) -> None:
    with pytest.raises(BodyInvalidError):
        parse_payload(bad, WEB, NOW)
    assert app_id_in(bad) is None


def test_too_many_events_are_refused() -> None:
    with pytest.raises(BodyTooLargeError):
        parse_payload(b'{"data":[' + b"1," * 100_001 + b"1]}", WEB, NOW)


def test_an_address_is_a_payload_and_the_app_id_may_be_a_key() -> None:
    body = payload_of({"e": "pv", "uid": "u1", "aid": "ssw_1"})
    (answer,) = parse_payload(body, WEB, NOW)
    assert isinstance(answer, Message)
    assert (pairs(answer), app_id_in(body)) == ([("user_id", "u1")], "ssw_1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PACKED = st.builds(lambda name, data: packed({"data": {"schema": name, "data": data}}), JSON, JSON)


@given(st.lists(st.dictionaries(NAMES, JSON | PACKED | st.just("ue"), max_size=9) | JSON, max_size=4))
def test_any_events_get_an_answer_each(events: list[Json]) -> None:
    assert len(parse_payload(payload(*events), WEB, NOW)) == len(events)
