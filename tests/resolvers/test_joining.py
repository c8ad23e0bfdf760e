"""Readings of requests that come side by side are one, and each request hears what it would have heard alone."""

from asyncio import CancelledError, Event, Future, gather, get_running_loop, sleep, wait_for
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.context import attach, detach, get_value, set_value

from graph.connection import Reader
from graph.errors import DatabaseAwayError
from resolvers import joining
from resolvers.batching import Batching
from resolvers.joining import BESIDE, MOST_TOGETHER, Batch, Joining
from tests.serving import PATIENCE_SECONDS, until_async

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "AT_ONCE", 1)


@dataclass
class Shelf:
    """What is read, and what of it was read together; a reading goes on when it is let."""

    kept: Mapping[str, str]
    readings: list[Sequence[str]] = field(default_factory=list)
    open: Event = field(default_factory=Event)
    given_up: int = 0

    async def read(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.readings.append(keys)
        try:
            await self.open.wait()
        except CancelledError:
            self.given_up += 1
            raise
        if "torn" in keys:
            raise ValueError("torn")
        if "away" in keys:
            raise DatabaseAwayError("away")
        return {key: self.kept[key] for key in keys if key in self.kept}

    def batch(self, *keys: str) -> Batch:
        loop = get_running_loop()
        return Batch(self.read, {key: [loop.create_future()] for key in keys})


def shelf() -> Shelf:
    return Shelf({each: each.upper() for each in "abcdefgh"})


async def had(batch: Batch) -> list[object]:
    answers = gather(*(each for (each,) in batch.waiting.values()), return_exceptions=True)
    return await wait_for(answers, PATIENCE_SECONDS)


async def _begun(books: Shelf, many: int) -> bool:
    return len(books.readings) == many


async def turns() -> None:
    for _ in range(5):
        await sleep(0)


async def test_who_comes_alone_waits_for_nobody_and_who_comes_meanwhile_goes_with_others() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b", "c"), books.batch("c", "z"), books.batch("d")]
    for each in batches:
        joined.send("books", each)
    await turns()
    assert books.readings == [["a"]]
    books.open.set()
    assert [await had(each) for each in batches] == [["A"], ["B", "C"], ["C", None], ["D"]]
    assert books.readings == [["a"], ["b", "c", "z", "d"]]


async def test_as_many_as_may_be_under_way_are_before_anybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "AT_ONCE", 2)
    books, joined = shelf(), Joining()
    batches = [books.batch(each) for each in "abcd"]
    for each in batches:
        joined.send("books", each)
    await turns()
    assert books.readings == [["a"], ["b"]]
    books.open.set()
    assert [await had(each) for each in batches] == [["A"], ["B"], ["C"], ["D"]]
    assert books.readings[2:] == [["c", "d"]]


async def test_what_is_asked_in_another_way_does_not_wait() -> None:
    books, joined = shelf(), Joining()
    joined.send(("books", 20), books.batch("a"))
    joined.send(("books", 5), books.batch("b"))
    await turns()
    assert books.readings == [["a"], ["b"]]
    books.open.set()


async def test_nothing_is_kept_of_what_is_over() -> None:
    books, joined = shelf(), Joining()
    books.open.set()
    for each in "abc":
        batch = books.batch(each)
        joined.send(each, batch)
        await had(batch)
    await turns()
    assert joined._lanes == {}


async def test_an_error_that_one_request_caused_is_its_own() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b"), books.batch("torn"), books.batch("c")]
    for each in batches:
        joined.send("books", each)
    books.open.set()
    answers = [await had(each) for each in batches]
    assert answers[:2] == [["A"], ["B"]]
    assert answers[3] == ["C"]
    assert isinstance(answers[2][0], ValueError)


async def test_who_has_left_is_not_read_for_again_after_an_error() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b"), books.batch("torn"), books.batch("c")]
    for each in batches:
        joined.send("books", each)
    await turns()
    first, books.open = books.open, Event()
    first.set()
    await had(batches[0])
    await turns()
    assert books.readings[1] == ["b", "torn", "c"]
    batches[1].drop()
    books.open.set()
    assert await had(batches[3]) == ["C"]
    assert ["b"] not in books.readings


async def test_a_database_that_is_away_is_asked_once_for_all() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b"), books.batch("away")]
    for each in batches:
        joined.send("books", each)
    books.open.set()
    answers = [await had(each) for each in batches]
    assert [type(each[0]) for each in answers] == [str, DatabaseAwayError, DatabaseAwayError]
    assert len(books.readings) == 2


async def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b"), books.batch("c")]
    for each in batches:
        joined.send("books", each)
    batches[1].drop()
    books.open.set()
    assert await had(batches[2]) == ["C"]
    assert books.readings == [["a"], ["c"]]


async def test_what_is_read_is_given_up_when_the_last_one_who_waits_is_gone() -> None:
    books, joined = shelf(), Joining()
    first, others = books.batch("a"), [books.batch("b"), books.batch("c")]
    for each in (first, *others):
        joined.send("books", each)
    await turns()
    first.drop()
    await turns()
    assert (books.given_up, books.readings) == (1, [["a"], ["b", "c"]])
    others[0].drop()
    await turns()
    assert books.given_up == 1
    books.open.set()
    assert await had(others[1]) == ["C"]


async def test_what_is_given_up_before_it_began_holds_nobody_up() -> None:
    books, joined = shelf(), Joining()
    batches = [books.batch("a"), books.batch("b")]
    for each in batches:
        joined.send("books", each)
    batches[0].drop()
    books.open.set()
    assert await had(batches[1]) == ["B"]
    assert books.readings == [["b"]]


async def test_a_reading_that_takes_its_time_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(joining, "MORE_SECONDS", 0.0)
    books, joined = shelf(), Joining()
    batches = [books.batch(each) for each in "abcdef"]
    for each in batches:
        joined.send("books", each)
    await until_async(lambda: _begun(books, 3))
    assert books.readings == [["a"], ["b", "c", "d", "e"], ["f"]]
    books.open.set()
    assert [await had(each) for each in batches] == [[each.upper()] for each in "abcdef"]


async def test_what_is_large_goes_by_itself_and_what_is_joined_has_an_end() -> None:
    books, joined = shelf(), Joining()
    many = [str(number) for number in range(MOST_TOGETHER)]
    small = [books.batch(f"s{number}") for number in range(MOST_TOGETHER + 3)]
    for each in (books.batch("a"), books.batch(*many), *small):
        joined.send("books", each)
    books.open.set()
    for each in small:
        assert await had(each) == [None]
    assert [len(each) for each in books.readings] == [1, MOST_TOGETHER, MOST_TOGETHER, 3]


async def test_what_is_asked_in_the_turn_in_which_all_else_was_given_up_is_read() -> None:
    """As the next event of a subscription asks for what the last one asked for and did not wait for."""
    asked = Batching(Reader(driver=None, database="", bookmarked=None))  # type: ignore[arg-type]  # nothing is read by it

    async def read(_: Reader, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: key.upper() for key in keys}

    given_up = asked.ask(read, "a")
    asked.stop()
    again, other = asked.ask(read, "a"), asked.ask(read, "b")
    assert await wait_for(gather(again, other), PATIENCE_SECONDS) == ["A", "B"]
    with pytest.raises(CancelledError):
        await given_up


Schedule = st.lists(st.tuples(st.sets(st.sampled_from("abcdefghxyz"), min_size=1), st.integers(0, 4)), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=Schedule, slow=st.integers(0, 6))
async def test_whatever_comes_when_everybody_hears_what_is_stored(
    schedule: Sequence[tuple[set[str], int]], slow: int
) -> None:
    kept, joined = {each: each.upper() for each in "abcdefgh"}, Joining()
    asked: list[dict[str, list[Future[str]]]] = []

    async def read(keys: Sequence[str]) -> Mapping[str, str]:
        assert len(set(keys)) == len(keys)
        for _ in range(slow):
            await sleep(0)
        return {key: kept[key] for key in keys if key in kept}

    for keys, pause in schedule:
        waiting = {key: [get_running_loop().create_future()] for key in sorted(keys)}
        asked.append(waiting)
        joined.send("books", Batch(read, waiting))
        for _ in range(pause):
            await sleep(0)
    for waiting in asked:
        found = await wait_for(gather(*(each for (each,) in waiting.values())), PATIENCE_SECONDS)
        assert found == [kept.get(key) for key in waiting]


@pytest.mark.parametrize("let", ["its end", "a timer", "an error"])
async def test_a_reading_belongs_to_who_asked_for_it_whoever_let_it_begin(let: str) -> None:
    """By this a statement is a span of its own request: a timer and the end of another reading know others alone."""
    seen, joined, opened = list[list[object]](), Joining(), Event()

    async def read(keys: Sequence[str]) -> Mapping[str, str]:
        seen.append([get_value("who"), *(get_value("who", each) for each in BESIDE.get())])
        if "a" in keys:
            await opened.wait()
        if let == "an error" and len(keys) > 1:
            raise ValueError(keys)
        return {}

    batches = []
    for who in "abc":
        token = attach(set_value("who", who))
        batches.append(Batch(read, {who: [get_running_loop().create_future()]}))
        joined.send("books", batches[-1])
        detach(token)
    if let == "a timer":
        await gather(*(had(each) for each in batches[1:]))
    opened.set()
    await gather(*map(had, batches))
    again = [["b"], ["c"]] if let == "an error" else []
    assert seen == [["a"], ["b", "c"], *again]
