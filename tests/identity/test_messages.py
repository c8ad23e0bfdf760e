"""Messages: their key, and whether their own time can be believed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.messages import EARLIEST_SURE, Authority, micros, moment
from tests.building import RECEIVED, track

ANY_MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds


def test_a_message_is_known_by_its_source_and_id() -> None:
    assert track("a1", id="m:1", source="web").id == "web:m:1"


@pytest.mark.parametrize(
    ("own", "sure"),
    [
        (RECEIVED, True),
        (EARLIEST_SURE, True),
        (RECEIVED + timedelta(microseconds=1), False),
        (EARLIEST_SURE - timedelta(microseconds=1), False),
        (None, False),
    ],
)
def test_a_time_is_sure_from_2000_until_the_receipt(own: datetime | None, sure: bool) -> None:
    assert replace(track("a1"), own_time=own).sure is sure


@given(ANY_MOMENT)
def test_microseconds_are_exact_both_ways(when: datetime) -> None:
    assert moment(micros(when)) == when


def test_microseconds_do_not_look_at_the_time_zone() -> None:
    there = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert micros(there) == micros(datetime(2026, 1, 1, tzinfo=UTC)) == 1_767_225_600_000_000


def test_authorities_are_ordered_as_designed() -> None:
    assert sorted(Authority, reverse=True) == [
        Authority.MANUAL,
        Authority.IMPORTED,
        Authority.VERIFIED,
        Authority.CLAIMED,
        Authority.UNVERIFIED,
    ]
