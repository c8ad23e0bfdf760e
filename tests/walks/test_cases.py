"""Cases T01 to T13, T15 to T22, T26, T27 and T31 of the catalogue of stitching, each by its number, through HTTP.

Messages go in by /v1/batch, one request each where nothing else is said; who is who is asked over GraphQL; after every
case `verify` finds nothing. T23, T28 to T30, T37 and T67 to T73 stand in test_cases_of_sharing.py.
"""

from collections.abc import AsyncIterator
from itertools import permutations

import pytest

from graph.connection import Connection
from tests.walks.sending import alias, identify, message, track
from tests.walks.service import Company, codes, differences, in_process, sets

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

HOUR = 60
ORDERS = list(permutations(range(3)))
FAMILY = "fam@example.com"
USER, ANONYMOUS, EMAIL = "user_id", "anonymous_id", "email"


@pytest.fixture
async def company(graph: Connection) -> AsyncIterator[Company]:
    """A company whose people are, at the end of each case, what follows from the evidence."""
    async with in_process(graph) as running:
        yield running
        assert await differences(graph) == ()


# Basics and order


async def test_t01_what_was_done_before_the_login_is_hers(company: Company) -> None:
    await company.send(track("a1", at=1), identify("u1", "a1", at=2))
    assert await company.events() == {"a1 u1": ("Viewed", "identify")}


@pytest.mark.parametrize("order", ORDERS)
async def test_t02_the_order_of_arrival_does_not_matter(company: Company, order: tuple[int, ...]) -> None:
    said = [track("a1", at=1, name="before"), identify("u1", "a1", at=2), track("a1", at=3, name="after")]
    await company.send(*(said[place] for place in order))
    assert await company.events() == {"a1 u1": ("before", "identify", "after")}


@pytest.mark.parametrize("order", ORDERS)
async def test_t03_a_chain_of_three_is_one_person(company: Company, order: tuple[int, ...]) -> None:
    said = [identify("u1", email="e1@example.com"), track("a1", email="e1@example.com"), identify("u1", "a2")]
    await company.send(*(said[place] for place in order))
    assert await company.people() == sets("u1 e1@example.com a1 a2")


async def test_t04_two_merged_groups_merge_through_their_children(company: Company) -> None:
    await company.send(track("A", device="B"), track("D", email="c@example.com"), track("D", device="B"))
    assert await company.people() == sets("A B c@example.com D")


LINE = (
    track("a1", device="d1"),
    track("a2", device="d1"),
    track("a2", email="e1@example.com"),
    track("a3", email="e1@example.com"),
    identify("u1", "a3"),
)


async def test_t05_a_line_of_six_in_one_batch_is_one_profile_and_every_old_id_resolves(company: Company) -> None:
    alone = [track("a1"), track("a2"), track("a3"), identify("u1")]
    alone += [message("track", device="d1"), message("track", email="e1@example.com")]
    await company.send(*alone)
    old = {each.id for each in await company.profiles()}
    assert len(old) == 6
    await company.batch(LINE)
    (person,) = await company.profiles()
    assert person.who == frozenset({"a1", "a2", "a3", "d1", "e1@example.com", "u1"})
    assert {(await company.profile(id=each))["id"] for each in old} == {person.id}


async def test_t05_a_line_of_six_that_nobody_knew_is_one_profile(company: Company) -> None:
    await company.batch(LINE)
    assert await company.people() == sets("a1 a2 a3 d1 e1@example.com u1")


async def test_t06_one_event_bridges_three_people_and_the_retired_ids_say_so(company: Company) -> None:
    await company.send(identify("u1"), track("a1"), message("track", device="d1"))
    old = {each.id for each in await company.profiles()}
    await company.send(identify("u1", "a1", device="d1"))
    (person,) = await company.profiles()
    assert person.who == frozenset({"u1", "a1", "d1"})
    retired = old - {person.id}
    assert len(retired) == 2
    for each in retired:
        found = await company.profile(id=each)
        assert (found["id"], found["redirectedFrom"]) == (person.id, each)


async def test_t07_an_event_within_one_person_changes_only_when_she_was_last_seen(company: Company) -> None:
    await company.send(identify("u1", "a1", at=1))
    before = await company.profile(identifier={"namespace": USER, "value": "u1"})
    await company.send(identify("u1", "a1", at=9))
    after = await company.profile(identifier={"namespace": USER, "value": "u1"})
    assert (before["lastSeen"], after["lastSeen"]) == ("2026-01-01T00:01:00Z", "2026-01-01T00:09:00Z")
    assert after["id"] == before["id"]
    assert await company.people() == sets("u1 a1")


async def test_t08_the_oldest_id_stays_whatever_the_event_times_say(company: Company) -> None:
    ids = {}
    for value, at in (("C", 30), ("B", 20), ("A", 10)):
        await company.send(message("track", device="B", at=at) if value == "B" else track(value, at=at))
        ids[value] = (await company.person(value)).id
    await company.send(track("A", device="B", at=2), track("C", device="B", at=1))
    (person,) = await company.profiles()
    assert person.id == ids["C"]
    assert {(await company.profile(id=each))["id"] for each in ids.values()} == {ids["C"]}


async def test_t09_an_old_cookie_that_comes_again_belongs_to_who_stayed(company: Company) -> None:
    await company.send(identify("u1", "a1"), track("a2"))
    old = (await company.person("a2")).id
    await company.send(identify("u1", "a2"), track("a2", name="later", at=9))
    (person,) = await company.profiles()
    assert person.events[-1] == "later"
    assert (await company.profile(id=old))["id"] == person.id != old


async def test_t10_two_independent_pairs_are_two_people(company: Company) -> None:
    await company.send(identify("u1", "a1"), identify("u2", "a2"), track("a1"), track("a2"), track("a2"))
    assert {who: len(events) for who, events in (await company.events()).items()} == {"a1 u1": 2, "a2 u2": 3}


# Alias


async def test_t11_an_alias_before_the_login_links(company: Company) -> None:
    await company.send(alias("a1", "u1", at=1), identify("u1", "a1", at=2))
    assert await company.people() == sets("u1 a1")


async def test_t12_an_alias_between_two_user_ids_is_refused_with_a_warning(company: Company) -> None:
    answers = await company.send(identify("u1", at=1), identify("u2", at=2), alias("u1", "u2", at=3))
    assert await company.people() == sets("u1", "u2")
    assert [codes(each) for each in answers] == [[], [], ["refused_unique"]]
    assert await company.refused((USER, "u1"), (USER, "u2")) == {("u1", "u2", "UNIQUE")}


async def test_t13_an_installation_id_sent_as_user_id_is_refused_and_the_fix_is_named(company: Company) -> None:
    _, answer = await company.send(identify("inst-1", at=1), alias("inst-1", "u1", at=2))
    assert await company.people() == sets("inst-1", "u1")
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["place"]) == ("refused_unique", "previousId")
    assert "an override can say that one replaces it" in warning["message"]
    assert "if inst-1 is the id of an installation or a browser, send it as anonymousId" in warning["message"]


async def test_t13_as_anonymous_id_it_is_her(company: Company) -> None:
    await company.send(identify(None, "inst-1", at=1), alias("inst-1", "u1", at=2))
    assert await company.people() == sets("inst-1 u1")


async def test_t15_an_alias_of_itself_does_nothing(company: Company) -> None:
    (answer,) = await company.send(alias("x", "x"))
    assert (answer["committed"], answer["rejected"], answer["warnings"]) == (1, [], [])
    assert await company.people() == sets("x")


async def test_t16_two_cookies_aliased_both_ways_are_one_person(company: Company) -> None:
    await company.send(alias("a", on="b"), alias("b", on="a"))
    assert await company.people() == sets("a b")


async def test_t16_two_user_ids_aliased_both_ways_stay_two_people(company: Company) -> None:
    """As in T12: what is a user id is unique, however often an alias says otherwise."""
    await company.send(alias("a", "b"), alias("b", "a"))
    assert await company.refused((USER, "a"), (USER, "b")) == {("a", "b", "UNIQUE")}


# Shared devices, logout


async def test_t17_two_users_of_one_tablet_stay_two_people(company: Company) -> None:
    await company.send(identify("u1", "a1", at=1), identify("u2", "a1", at=2))
    assert (await company.people(), await company.shared()) == (sets("u1", "u2"), sets("a1"))
    assert [(await company.person(each)).shares for each in ("u1", "u2")] == [frozenset({"a1"})] * 2
    refused = await company.refused((USER, "u1"), (USER, "u2"))
    assert refused == {("a1", "u1", "GENERIC"), ("a1", "u2", "GENERIC")}


async def test_t18_before_and_between_the_logins_it_was_the_first_person(company: Company) -> None:
    await company.send(
        track("a1", at=1, name="before"),
        identify("u1", "a1", at=2),
        track("a1", at=3, name="between"),
        identify("u2", "a1", at=4),
    )
    assert await company.events() == {"a1": (), "u1": ("before", "identify", "between"), "u2": ("identify",)}


LATE = (identify("u1", "a1", at=0), identify("u2", "a1", at=HOUR), track("a1", at=5 * HOUR, name="late"))


async def test_t19_hours_after_the_last_login_it_was_nobody_known(company: Company) -> None:
    await company.send(*LATE)
    assert await company.events() == {"a1": ("late",), "u1": ("identify",), "u2": ("identify",)}


async def test_t20_a_login_takes_nothing_from_before_a_long_pause(company: Company) -> None:
    await company.send(*LATE, identify("u1", "a1", at=6 * HOUR))
    assert await company.events() == {"a1": ("late",), "u1": ("identify", "identify"), "u2": ("identify",)}


async def test_t21_a_reset_gives_the_next_person_a_cookie_of_her_own(company: Company) -> None:
    await company.send(identify("u1", "a1", at=1), track("a2", at=2), identify("u2", "a2", at=3))
    assert await company.events() == {"a1 u1": ("identify",), "a2 u2": ("Viewed", "identify")}


async def test_t22_a_reset_that_keeps_the_cookie_is_a_shared_tablet(company: Company) -> None:
    await company.send(identify("u1", "a1", at=1), identify("u2", "a1", at=1))
    assert (await company.people(), await company.shared()) == (sets("u1", "u2"), sets("a1"))


# Household, team, family


async def test_t26_two_spouses_on_one_address_stay_two_people(company: Company) -> None:
    await company.send(identify("u1", email=FAMILY), identify("u2", email=FAMILY))
    assert (await company.people(), await company.shared()) == (sets("u1", "u2"), sets(FAMILY))
    assert [(await company.person(each)).shares for each in ("u1", "u2")] == [frozenset({FAMILY})] * 2
    found = await company.profile(identifier={"namespace": EMAIL, "value": FAMILY})
    assert found["sharedBy"]["totalCount"] == 2


async def test_t27_an_event_of_a_team_mailbox_is_no_persons(company: Company) -> None:
    team = "team@example.com"
    await company.send(identify("u1", email=team), identify("u2", email=team), track(email=team, name="opened"))
    assert await company.events() == {"u1": ("identify",), "u2": ("identify",), team: ("opened",)}


# Garbage

GARBAGE = (
    *((None, "a1"), ("", "a1"), ("  ", "a1"), ("undefined", "a2"), ("null", "a2"), ("NaN", "a3"), ("None", "a3")),
    *(("0", "a4"), ("-1", "a4"), ("00000000-0000-0000-0000-000000000000", "a5"), ("anonymous", "a5")),
    *(("guest", "a6"), ("[object Object]", "a6"), ("true", "a7")),
)


async def test_t31_placeholders_name_nobody_and_every_message_is_kept(company: Company) -> None:
    answers = await company.send(*(identify(user, on) for user, on in GARBAGE))
    assert [each["committed"] for each in answers] == [1] * 14
    assert [code for each in answers for code in codes(each)] == ["blocked_identifier"] * 13
    assert await company.people() == sets("a1", "a2", "a3", "a4", "a5", "a6", "a7")
    assert sum(len(each.events) for each in await company.profiles()) == 14
