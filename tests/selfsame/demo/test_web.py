"""The calls of the web shop against the real client, and the order in which they are sent."""

from collections import Counter
from copy import deepcopy
from functools import cache
from itertools import pairwise

import pytest
from segment.analytics.client import Client

from selfsame.demo.fernhill import Call, web_calls
from selfsame.demo.web import segment_message
from tests.selfsame.demo.records import company

KINDS = ("identify", "track", "page", "screen", "group", "alias")


@cache
def calls() -> list[Call]:
    return web_calls(company())


@pytest.mark.parametrize("kind", KINDS)
def test_the_real_client_takes_every_call_and_sends_the_message_we_write(kind: str) -> None:
    client = Client("key", send=False)
    ours = [call for call in calls() if call.kind == kind]
    assert ours
    for call in ours:
        taken, sent = getattr(client, kind)(
            **deepcopy(call.arguments)
        )  # the client writes its own name into the context it is handed
        del sent["context"]["library"]
        assert taken
        assert sent == segment_message(call)


def test_every_call_has_an_aware_time_and_an_id_of_its_own() -> None:
    first = {call.arguments["message_id"]: call for call in calls()}
    assert all(call.at.tzinfo is not None for call in calls())
    assert all(first[call.arguments["message_id"]] == call for call in calls())


def test_about_one_call_in_a_hundred_is_sent_twice() -> None:
    times = Counter(call.arguments["message_id"] for call in calls())
    assert set(times.values()) == {1, 2}
    assert 60 <= sum(count == 2 for count in times.values()) <= 150


def test_some_calls_are_sent_hours_after_later_ones() -> None:
    late = sum((before.at - after.at).total_seconds() > 3600 for before, after in pairwise(calls()))
    assert late > 50


def test_a_person_is_anonymous_before_she_is_known_on_every_device_of_the_heroine() -> None:
    for device in company().stories["heroine"].people[0].devices:
        hers = [call for call in calls() if call.arguments.get("anonymous_id") == device.anonymous_id]
        known = [call.arguments.get("user_id") is not None for call in hers]
        assert known == sorted(known)
        assert set(known) == {False, True}


def test_devices_send_screens_from_the_app_and_pages_from_a_browser() -> None:
    for call in calls():
        context = call.arguments["context"]
        assert isinstance(context, dict)
        if call.kind in {"page", "screen"}:
            assert ("device" in context) == (call.kind == "screen")


def test_members_of_wholesale_accounts_say_for_which_they_buy() -> None:
    accounts = {account.id: account.name for account in company().accounts}
    groups = [call.arguments for call in calls() if call.kind == "group"]
    assert len({each["group_id"] for each in groups}) > 50
    assert all(each["traits"]["name"] == accounts[str(each["group_id"])] for each in groups)  # type: ignore[index] # a dict


def test_the_broken_build_sends_undefined_from_six_devices() -> None:
    broken = [call.arguments for call in calls() if call.arguments.get("user_id") == "undefined"]
    assert len({each["anonymous_id"] for each in broken}) == 6


def test_guests_order_with_their_email_and_without_a_user_id() -> None:
    orders = [call.arguments for call in calls() if call.arguments.get("event") == "Order Completed"]
    guests = [each for each in orders if "email" in each["properties"]]  # type: ignore[operator] # a dict
    assert len(guests) > 20
    assert not any("user_id" in each for each in guests)
