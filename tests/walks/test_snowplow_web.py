"""Snowplow's web events, loaded by mapping, against what Snowplow's own package makes of them.

Where the rules agree, the answers must. They differ on purpose in three places:

- Snowplow gives a cookie to its last user. Here a cookie that several users logged in on is nobody's alone: it is
  shared, and the users stay people of their own. In the sample this is one cookie, with ten users (SOURCE.md speaks of
  two; it is the case `user stitch`, whose two sessions have ten user ids).
- Snowplow's tracker says where a session ends; here 30 idle minutes do. So one session that lasts two days is several
  here, and two that the tracker numbered anew within seconds are one.
- A page ping says that somebody was there for the five seconds before it, and Snowplow lets a session that begins with
  one begin that much earlier: three do.

Moments are derived_tstamp, Snowplow's own correction of the device's clock: with it, ends and numbers of events of the
sessions are equal to the millisecond; with collector_tstamp or dvce_created_tstamp no session of the sample is.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random

import pytest

from graph.connection import Connection
from graph.ingestion import Outcome, commit_batch
from graph.journeys import journeys_of
from graph.profiles import profiles_by_identifier
from graph.runs import Counts
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Message, micros
from insight.journeys import Session
from loaders.mapping import mapping_named
from loaders.runs import Into, RunReport, load_file
from tests.building import RECEIVED, default_policy, minting
from tests.serving import require

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j, pytest.mark.shared_data]

FOLDER = Path(os.environ.get("SELFSAME_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
EVENTS = FOLDER / "snowplow-web-events"
Row = dict[str, str]

SHARED_COOKIE = "434dff58299fdc4f124ddf56a4f117d76f69bedb06f76d9858ffde85e16e14e1"
# Cases in which the tracker's sessions are also runs without a pause of 30 minutes.
SAME_SESSIONS = (
    "dupe: event_id same collector_tstamp",
    "dupe: event_id different collector_tstamp",
    "dupe: page_view_id different derived_tstamp",
    "No edge cases",
    "NULL domain_userid",
    "stray page ping",
)
RENUMBERED_WITHIN_SECONDS = ("Multiple first sessions per user", "Multiple last sessions per user")
PING = 5_000_000  # µs
# Sessions that the tracker never ends; the package's run covers only a part of the long one.
INTERRUPTED_FOR_DAYS = {"long session": 11, "Rotating domain_userid per session": 3}


@pytest.fixture(autouse=True)
def _present() -> None:
    require(EVENTS.is_dir(), f"the sample data in {EVENTS} (SELFSAME_SHARED_DATA names another folder)")


@cache
def rows(name: str) -> tuple[Row, ...]:
    with (EVENTS / name).open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def shuffled(folder: Path, seed: int) -> Path:
    """The events in another order."""
    some = list(rows("events.csv"))
    Random(seed).shuffle(some)
    path = folder / "events.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, some[0])
        writer.writeheader()
        writer.writerows(some)
    return path


async def load(graph: Connection, path: Path) -> RunReport:
    mint = minting()

    async def commit(messages: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(graph.writer, messages, default_policy(), lambda: next(mint), RECEIVED)

    mapping = mapping_named("snowplow_web")
    into = Into(graph, commit, lambda: next(mint), lambda: RECEIVED)
    return await load_file(path, mapping.source, into, mapping=mapping)


def users_of_cookies() -> dict[str, list[str]]:
    """The users of each cookie in the order of the collector's time."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in sorted(rows("events.csv"), key=lambda row: row["collector_tstamp"]):
        if row["domain_userid"] and row["user_id"]:
            found[row["domain_userid"]].append(row["user_id"])
    return found


async def people(graph: Connection, namespace: str, values: set[str]) -> dict[str, ProfileId]:
    keys = {value: IdentifierKey(f"{namespace}:{value}") for value in values}
    found = await profiles_by_identifier(graph.reader, list(keys.values()))
    return {value: found[key].id for value, key in keys.items()}


async def test_every_event_is_there_once(graph: Connection) -> None:
    """Three event ids come twice, with another derived_tstamp: the first to arrive stays, the other is flagged."""
    report = await load(graph, EVENTS / "events.csv")
    assert report.counts == Counts(records=160, messages=160, committed=157, differing=3)
    assert report.noted.warnings == {}


@pytest.mark.parametrize("seed", [None, 1, 2])
async def test_cookies_belong_to_the_users_that_snowplow_stitches_them_to(
    graph: Connection, tmp_path: Path, seed: int | None
) -> None:
    await load(graph, EVENTS / "events.csv" if seed is None else shuffled(tmp_path, seed))
    truth = {cookie: users[-1] for cookie, users in users_of_cookies().items() if len(set(users)) == 1}
    by_cookie = await people(graph, "anonymous_id", set(truth))
    by_user = await people(graph, "user_id", set(truth.values()))
    assert len(truth) == 41
    assert by_cookie == {cookie: by_user[user] for cookie, user in truth.items()}
    assert len(set(by_user.values())) == len(by_user)


def test_the_truth_is_what_snowplow_expects() -> None:
    truth = {cookie: users[-1] for cookie, users in users_of_cookies().items()}
    expected = [row for row in rows("expected_sessions.csv") if row["domain_userid"]]
    assert [truth[row["domain_userid"]] for row in expected] == [row["stitched_user_id"] for row in expected]


@pytest.mark.parametrize("seed", [None, 1])
async def test_a_cookie_with_ten_users_is_shared_by_ten_people(
    graph: Connection, tmp_path: Path, seed: int | None
) -> None:
    await load(graph, EVENTS / "events.csv" if seed is None else shuffled(tmp_path, seed))
    users = set(users_of_cookies()[SHARED_COOKIE])
    found = await graph.reader.rows(
        "MATCH (:Identifier {key: $key, generic: 'values'})-[:SHARED_BY]->(p:Profile) RETURN p.id AS id",
        key=f"anonymous_id:{SHARED_COOKIE}",
    )
    assert sorted(row["id"] for row in found) == sorted((await people(graph, "user_id", users)).values())
    assert len(users) == 10


async def test_there_are_as_many_devices_and_people_as_snowplow_has_cookies_and_users(graph: Connection) -> None:
    await load(graph, EVENTS / "events.csv")
    found = await graph.reader.rows("""
        MATCH (d:Device) WITH count(d) AS devices
        MATCH (p:Profile {known: true}) RETURN devices, count(p) AS people""")
    assert found == [{"devices": 42, "people": 25}]


async def test_a_browser_that_nobody_logged_in_on_is_a_person_unknown(graph: Connection) -> None:
    """The last row of that file is empty but for a user agent: it names nobody, and is told so."""
    report = await load(graph, EVENTS / "anonymous_vitals_events.csv")
    found = await graph.reader.rows("MATCH (p:Profile) RETURN p.known AS known, count(p) AS many")
    assert report.counts == Counts(records=1_001, messages=1_000, committed=1_000, rejected=1)
    assert found == [{"known": False, "many": 144}]
    assert report.noted.rejections[0].place == "anonymous_vitals_events.csv:1002"


async def sessions(graph: Connection, user: str) -> list[Session]:
    """The sessions of a user as we cut them, the first one first."""
    person = (await people(graph, "user_id", {user}))[user]
    found = await journeys_of(graph.reader, [(person, None)], 50, default_policy().session_idle_minutes)
    return list(reversed(found[person, None]))


def expected(user: str) -> list[Row]:
    found = [row for row in rows("expected_sessions.csv") if row["user_id"] == user]
    return sorted(found, key=lambda row: row["start_tstamp"])


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


async def test_sessions_are_snowplows_where_both_cut_at_the_same_places(graph: Connection) -> None:
    await load(graph, EVENTS / "events.csv")
    for user in SAME_SESSIONS:
        ours, theirs = await sessions(graph, user), expected(user)
        assert [(each.end, each.count) for each in ours] == [
            (at(row["end_tstamp"]), int(row["total_events"])) for row in theirs
        ]
        for each, row in zip(ours, theirs, strict=True):
            early = PING if each.names == ("page_ping",) else 0
            assert each.start == at(row["start_tstamp"]) + early


async def test_sessions_that_the_tracker_renumbered_within_seconds_are_one(graph: Connection) -> None:
    await load(graph, EVENTS / "events.csv")
    for user in RENUMBERED_WITHIN_SECONDS:
        (ours,) = await sessions(graph, user)
        theirs = expected(user)
        assert ours.start == at(theirs[0]["start_tstamp"])
        assert ours.end == max(at(row["end_tstamp"]) for row in theirs)
        assert ours.count == sum(int(row["total_events"]) for row in theirs)


async def test_a_session_with_pauses_of_days_is_several(graph: Connection) -> None:
    await load(graph, EVENTS / "events.csv")
    for user, many in INTERRUPTED_FOR_DAYS.items():
        assert len(await sessions(graph, user)) == many
        assert len(expected(user)) == 1
