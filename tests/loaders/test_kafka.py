"""What of a stream needs no broker: its settings, its records, and who holds which partition."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import Json, Message, Rejection
from loaders.errors import StreamRefusedError
from loaders.formats.records import Found, Passed
from loaders.kafka.partitions import Arrived, Holdings, Partition
from loaders.kafka.records import lines_of
from loaders.kafka.settings import client_settings, settings_from, without_values
from loaders.mapping import SourceMapping, mapping_named
from loaders.segment_messages import Sending, message_from
from loaders.translating import translated
from tests.loaders.mappings import IDENTIFIED, mapping
from tests.loaders.segment import NOW, WEB

ZERO, ONE = Partition("orders", 0), Partition("orders", 1)


def read(value: bytes | None, made: SourceMapping | None = None, **headers: str) -> Sequence[object]:
    record = Arrived(ZERO, 17, value, 1, headers, NOW - timedelta(hours=1))
    return [line.content for line in lines_of([record], made, NOW)]


def test_a_value_is_a_record_whose_id_is_its_place() -> None:
    (found,) = read(b'{"id": 7}', mapping(IDENTIFIED))
    assert found == Found({"id": 7}, "orders:0:17", '{"id": 7}', "orders:0:17", NOW - timedelta(hours=1))


def test_the_number_of_a_registered_schema_is_passed_by() -> None:
    (found,) = read(b"\0\0\0\0\x2a" + b'{"id": 7}')
    assert isinstance(found, Found)
    assert found.raw == '{"id": 7}'


@pytest.mark.parametrize(
    ("value", "code"),
    [(b"\0\0\0\0\x2a\x02", "not_json"), (b'"\xff"', "broken_encoding"), (b"x" * 2**20 + b"x", "line_too_long")],
)
def test_what_is_no_record_says_why_and_where(value: bytes, code: str) -> None:
    (refused,) = read(value)
    assert isinstance(refused, Rejection)
    assert (refused.code, refused.place) == (code, "orders:0:17")


def test_a_record_without_an_id_gives_messages_that_are_named_by_its_place_and_told_apart() -> None:
    made = mapping(IDENTIFIED + IDENTIFIED)
    (found,) = read(b'{"id": 7}', made)
    assert isinstance(found, Found)
    assert [each.message_id for each in translated(found, made, NOW).messages] == ["orders:0:17", "orders:0:17:1:0"]


def test_the_example_reads_a_shop_whose_events_have_ids_or_none() -> None:
    made = mapping_named("docs/examples/stream_orders.toml")
    order: dict[str, Json] = {"type": "order.placed", "order_id": 5, "total_cents": 1050, "currency": "EUR"}
    changed: dict[str, Json] = {"type": "customer.changed"}
    for event, id_ in ((order, "order:5"), (changed, "orders:0:17:1:0")):
        (found,) = read(orjson.dumps({**event, "customer": {"id": 1}, "placed_at": 1_790_000_000_000}), made)
        assert isinstance(found, Found)
        (message,) = translated(found, made, NOW).messages
        assert (message.message_id, message.warnings) == (id_, ())


def test_the_stamp_of_a_record_is_its_receipt_where_a_clock_is_wrong() -> None:
    """It was sent an hour ago, when it was stamped, so nothing is wrong with any clock."""
    own = (NOW - timedelta(hours=2)).isoformat()
    sent = {"type": "track", "event": "x", "userId": "u1", "originalTimestamp": own, "sentAt": _hour_ago()}
    (found,) = read(orjson.dumps(sent))
    assert isinstance(found, Found)
    sending = Sending(WEB, NOW, stand_in=found.id, first_at=found.at)
    message = message_from(found.raw.encode(), found.place, sending)
    assert isinstance(message, Message)
    assert (message.at, message.message_id) == (NOW - timedelta(hours=2), "orders:0:17")


def _hour_ago() -> str:
    return (NOW - timedelta(hours=1)).isoformat()


def test_a_deletion_is_passed_over() -> None:
    (passed,) = read(None)
    assert isinstance(passed, Passed)


def test_what_a_webhook_was_sent_is_read_by_its_mapping_with_its_headers() -> None:
    event: Json = {"id": "evt_1", "type": "ping"}
    (found,) = read(orjson.dumps(event), mapping_named("stripe"))
    assert isinstance(found, Found)
    assert isinstance(found.value, dict)
    assert (found.value["body"], found.id) == (event, "orders:0:17")


def test_lines_are_counted_on() -> None:
    records = [Arrived(ZERO, offset, b"{}", 1) for offset in (3, 4)]
    assert [line.number for line in lines_of(records, None, NOW, after=10)] == [11, 12]


def test_settings_come_from_a_file_and_ours_stand(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# a remark\nbootstrap.servers = a:1\n\nsasl.password=a=b\nauto.offset.reset=latest\n")
    made = client_settings(file, None, "crm")
    assert (made["bootstrap.servers"], made["sasl.password"], made["group.id"]) == ("a:1", "a=b", "crm")
    assert (made["enable.auto.commit"], made["auto.offset.reset"]) == ("false", "latest")
    assert made["partition.assignment.strategy"] == "cooperative-sticky"


def test_the_newer_group_protocol_hands_partitions_over_by_itself(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("group.protocol=consumer\n")
    assert "partition.assignment.strategy" not in client_settings(file, "a:1", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enable.auto.commit=true", "`enable.auto.commit` cannot be set"),
        ("group.id=x", "name a broker"),
        ("bootstrap.servers=a:1\nhunter2", "kafka.properties:2: a setting is written"),
    ],
)
def test_settings_that_cannot_be_are_refused_without_what_stands_there(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text(text)
    with pytest.raises(StreamRefusedError) as refused:
        client_settings(file, None, None)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StreamRefusedError, match=r"absent\.properties: cannot be read"):
        client_settings(tmp_path / "absent.properties", None, None)


def test_a_secret_in_the_wrong_place_stays_out_of_the_sentence() -> None:
    settings = settings_from("security.protocol=hunter2\n", "kafka.properties")
    assert without_values('Invalid value "hunter2" for "security.protocol"', settings).startswith('Invalid value "…"')


def holding(*partitions: Partition) -> Holdings:
    held = Holdings()
    held.gained(partitions)
    return held


def record(partition: Partition, offset: int, held: Holdings) -> Arrived:
    return Arrived(partition, offset, b"{}", held.turn(partition))


def test_what_was_read_of_a_partition_that_went_is_not_told() -> None:
    held = holding(ZERO, ONE)
    records = [record(ZERO, 4, held), record(ONE, 8, held)]
    held.gone([ZERO])
    assert held.ours(records) == (records[1],)
    held.done(records)
    assert held.owed == {ONE: 9}


def test_a_partition_that_comes_back_begins_anew() -> None:
    held = holding(ZERO)
    records = [record(ZERO, 4, held)]
    held.gone([ZERO])
    held.gained([ZERO])
    held.done(records)
    assert (held.ours(records), held.owed) == ((), {})


def test_what_is_told_is_owed_no_more_unless_more_was_done_meanwhile() -> None:
    held = holding(ZERO)
    held.done([record(ZERO, 4, held)])
    told = held.owed
    held.done([record(ZERO, 5, held)])
    held.told(told)
    assert held.owed == {ZERO: 6}
    held.told(held.owed)
    assert held.owed == {}


def test_the_end_is_where_all_that_is_ours_was_read_to_its_end() -> None:
    held = Holdings()
    assert not held.ended
    held.gained([ZERO, ONE])
    held.at_end(ZERO, 5)
    assert not held.ended
    held.at_end(ONE, 0)
    assert held.ended
    held.read(record(ZERO, 5, held))
    assert not held.ended
    held.gone([ZERO, ONE])
    assert held.ended


STEPS = st.lists(
    st.tuples(st.sampled_from(("gain", "go", "read", "done", "tell")), st.sampled_from((ZERO, ONE))), max_size=40
)


@given(STEPS)
def test_only_what_is_done_in_the_turn_that_lasts_is_ever_owed(steps: list[tuple[str, Partition]]) -> None:
    held, waiting, offset = Holdings(), list[Arrived](), 0
    expected: dict[Partition, int] = {}
    for step, partition in steps:
        match step:
            case "gain":
                if not held.turn(partition):
                    held.gained([partition])
            case "go":
                held.gone([partition])
                expected.pop(partition, None)
                waiting = [each for each in waiting if each.partition != partition]
            case "read":
                offset += 1
                if held.turn(partition):
                    waiting.append(record(partition, offset, held))
            case "done":
                held.done(waiting)
                expected |= {each.partition: each.offset + 1 for each in waiting}
                waiting = []
            case _:
                held.told(held.owed)
                expected = {}
    assert held.owed == expected
