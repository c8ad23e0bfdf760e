"""The queue: groups, limits, a bad message among good ones, a database that is away, going down.

The commit is handed in: mostly one that only remembers, so that the test decides when and how it ends.
"""

import socket
from collections.abc import Sequence
from itertools import count

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st
from neo4j import AsyncGraphDatabase
from opentelemetry.context import attach, detach, get_value, set_value

from graph.connection import Bookmarked, Connection, Reader, Writer
from graph.errors import DatabaseAwayError
from graph.ingestion import Outcome, Status, commit_batch
from identity.messages import Message
from loaders.committing import SENT_IN, Commit, commit_good
from loaders.errors import IntakeClosedError, QueueFullError
from loaders.intake import Intake, Pace
from tests.building import RECEIVED, default_policy, minting, track
from tests.serving import until

pytestmark = pytest.mark.anyio
IDS = count()


def messages(many: int) -> list[Message]:
    return [track("a1", id=f"m{next(IDS)}", at=number) for number in range(many)]


class Ledger:
    """A place to commit to that remembers the groups, and can be told to wait, to be away, or not to bear a name."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.gate = anyio.Event()
        self.gate.set()
        self.begun = anyio.Event()
        self.away = False

    async def commit(self, group: Sequence[Message]) -> tuple[Outcome, ...]:
        self.begun.set()
        await self.gate.wait()
        if self.away:
            raise DatabaseAwayError("away")
        if any(each.name == "poison" for each in group):
            raise OverflowError("too big")
        self.groups.append([each.message_id for each in group])
        return tuple(Outcome(Status.COMMITTED) for _ in group)

    @property
    def committed(self) -> list[str]:
        return [each for group in self.groups for each in group]


@pytest.fixture
async def ledger(anyio_backend: str) -> Ledger:
    return Ledger()


async def test_each_request_gets_its_own_outcomes_in_order(ledger: Ledger) -> None:
    poisoned = [track("a1", id="good"), track("a1", id="bad", name="poison")]
    answers: dict[str, tuple[Outcome, ...]] = {}

    async def send(name: str, some: Sequence[Message]) -> None:
        answers[name] = await intake.submit(some)

    async with Intake(ledger.commit).opened() as intake, anyio.create_task_group() as tasks:
        tasks.start_soon(send, "poisoned", poisoned)
        tasks.start_soon(send, "clean", messages(3))
    assert [each.status for each in answers["poisoned"]] == [Status.COMMITTED, Status.REJECTED]
    assert [each.status for each in answers["clean"]] == [Status.COMMITTED] * 3


async def test_what_arrives_while_others_are_written_is_one_group(ledger: Ledger) -> None:
    async with Intake(ledger.commit, Pace(committers=1)).opened() as intake, anyio.create_task_group() as tasks:
        ledger.gate = anyio.Event()
        tasks.start_soon(intake.submit, messages(1))
        await ledger.begun.wait()
        for _ in range(5):
            tasks.start_soon(intake.submit, messages(2))
        await checkpoint()
        ledger.gate.set()
    assert [len(group) for group in ledger.groups] == [1, 10]


async def test_no_group_is_larger_than_it_may_be(ledger: Ledger) -> None:
    async with Intake(ledger.commit, Pace(group=10)).opened() as intake:
        assert len(await intake.submit(messages(35))) == 35
    assert sorted(len(group) for group in ledger.groups) == [5, 10, 10, 10]


async def test_what_is_much_is_written_by_two_at_once_each_with_its_people(ledger: Ledger) -> None:
    some = [track(f"a{number % 40}", id=f"m{next(IDS)}", at=number) for number in range(400)]
    cookie = {each.message_id: each.sightings[0].value for each in some}
    async with Intake(ledger.commit, Pace(spread=100)).opened() as intake:
        assert len(await intake.submit(some)) == 400
    assert sorted(len(group) for group in ledger.groups) == [200, 200]
    one, other = ({cookie[each] for each in group} for group in ledger.groups)
    assert not one & other


async def test_what_is_little_is_one_group_whoever_it_is_about(ledger: Ledger) -> None:
    some = [track(f"a{number}", id=f"m{next(IDS)}", at=number) for number in range(150)]
    async with Intake(ledger.commit, Pace(spread=100)).opened() as intake:
        await intake.submit(some)
    assert [len(group) for group in ledger.groups] == [150]


async def test_what_came_while_the_second_committer_wrote_is_not_forgotten(ledger: Ledger) -> None:
    """Too little for the second one, left alone by the first one while the second one was busy."""
    slow = anyio.Event()

    async def commit(group: Sequence[Message]) -> tuple[Outcome, ...]:
        if any(each.name == "slow" for each in group):
            await slow.wait()
        return await ledger.commit(group)

    def of(cookie: str, name: str) -> Message:
        return track(cookie, id=f"m{next(IDS)}", name=name)

    async with Intake(commit, Pace(spread=2)).opened() as intake, anyio.create_task_group() as tasks:
        tasks.start_soon(intake.submit, [of("a0", "fine"), of("a1", "slow"), of("a1", "slow")])
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(intake.submit, [of("a1", "late")])
        await anyio.wait_all_tasks_blocked()
        slow.set()
    assert [len(group) for group in ledger.groups] == [1, 2, 1]


async def test_outcomes_stand_where_their_messages_stood(ledger: Ledger) -> None:
    some = [
        track(f"a{number % 7}", id=f"m{next(IDS)}", name="poison" if number % 5 == 0 else "fine")
        for number in range(100)
    ]
    async with Intake(ledger.commit, Pace(spread=10, group=20)).opened() as intake:
        outcomes = await intake.submit(some)
    assert [each.status is Status.REJECTED for each in outcomes] == [number % 5 == 0 for number in range(100)]


async def test_a_full_queue_takes_nothing_and_says_so(ledger: Ledger) -> None:
    async with Intake(ledger.commit, Pace(room=10)).opened() as intake, anyio.create_task_group() as tasks:
        ledger.gate = anyio.Event()
        tasks.start_soon(intake.submit, messages(8))
        await checkpoint()
        with pytest.raises(QueueFullError) as refused:
            await intake.submit(messages(3))
        assert (refused.value.retryable, refused.value.retry_after, intake.waiting) == (True, 1, 8)
        ledger.gate.set()
    assert len(ledger.committed) == 8


async def test_one_request_larger_than_the_room_is_taken_when_nothing_waits(ledger: Ledger) -> None:
    async with Intake(ledger.commit, Pace(room=10)).opened() as intake:
        assert len(await intake.submit(messages(30))) == 30


async def test_nothing_sent_is_nothing_written(ledger: Ledger) -> None:
    async with Intake(ledger.commit).opened() as intake:
        assert await intake.submit(()) == ()
    assert ledger.groups == []


async def test_every_waiter_hears_that_the_database_is_away_and_the_next_ones_do_not(ledger: Ledger) -> None:
    ledger.away = True
    heard: list[int] = []

    async def send() -> None:
        with pytest.raises(DatabaseAwayError):
            await intake.submit(messages(2))
        heard.append(1)

    async with Intake(ledger.commit).opened() as intake:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(send)
        ledger.away = False
        await intake.submit(messages(1))
    assert (len(heard), len(ledger.committed)) == (3, 1)


async def test_closing_drains_what_was_accepted_and_takes_no_more(ledger: Ledger) -> None:
    async with anyio.create_task_group() as tasks:
        async with Intake(ledger.commit).opened() as intake:
            tasks.start_soon(intake.submit, messages(5))
            await checkpoint()
        assert len(ledger.committed) == 5
    with pytest.raises(IntakeClosedError):
        await intake.submit(messages(1))


async def test_what_cannot_be_drained_in_time_is_given_back_to_its_sender(ledger: Ledger) -> None:
    ledger.gate = anyio.Event()
    heard: list[int] = []

    async def send() -> None:
        with pytest.raises(IntakeClosedError):
            await intake.submit(messages(5))
        heard.append(1)

    pace = Pace(drain_seconds=0.01)
    async with anyio.create_task_group() as tasks, Intake(ledger.commit, pace).opened() as intake:
        tasks.start_soon(send)
        await checkpoint()
    assert (heard, ledger.groups) == ([1], [])


async def test_where_nothing_can_be_written_any_more_nobody_waits_and_a_commit_that_ends_late_harms_nothing(
    ledger: Ledger,
) -> None:
    ledger.gate = anyio.Event()

    async def send() -> None:
        with pytest.raises(IntakeClosedError):
            await intake.submit(messages(5))

    async with Intake(ledger.commit).opened() as intake:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await ledger.begun.wait()
            intake.give_up()
        with pytest.raises(IntakeClosedError):
            await intake.submit(messages(1))
        ledger.gate.set()
        await until(lambda: ledger.committed)
        assert (len(ledger.committed), intake.waiting) == (5, 0)


async def test_a_caller_that_goes_away_does_not_stop_the_others(ledger: Ledger) -> None:
    async with Intake(ledger.commit).opened() as intake, anyio.create_task_group() as tasks:
        ledger.gate = anyio.Event()
        with anyio.move_on_after(0.01):
            await intake.submit(messages(2))
        tasks.start_soon(intake.submit, messages(1))
        await checkpoint()
        ledger.gate.set()
    assert len(ledger.committed) == 3


@given(st.lists(st.booleans(), max_size=40))
def test_among_any_messages_the_bad_ones_alone_are_rejected(bad: list[bool]) -> None:
    some = [track("a1", id=f"m{number}", name="poison" if each else "fine") for number, each in enumerate(bad)]
    outcomes = anyio.run(_committed, some)
    assert [each.status is Status.REJECTED for each in outcomes] == bad


async def _committed(some: Sequence[Message]) -> tuple[Outcome, ...]:
    return await commit_good(Ledger().commit, some)


async def test_a_rejected_message_keeps_its_text_and_the_reason(ledger: Ledger) -> None:
    (outcome,) = await commit_good(ledger.commit, [track("a1", id="m", name="poison")])
    assert outcome.rejection is not None
    assert (outcome.rejection.code, outcome.rejection.message_id) == ("cannot_be_written", "m")
    assert "too big" in outcome.rejection.sentence
    assert '"poison"' in (outcome.rejection.raw or "")


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def graph_commit(connection: Connection) -> Commit:
    mint = minting()

    async def commit(group: Sequence[Message]) -> tuple[Outcome, ...]:
        return await commit_batch(connection.writer, group, default_policy(), lambda: next(mint), RECEIVED)

    return commit


@pytest.mark.neo4j
async def test_neo4j_refuses_one_message_and_keeps_those_beside_it(graph: Connection) -> None:
    bad = track("a2", id="bad", name="x" * 20_000)  # too long for the index on names
    async with Intake(graph_commit(graph)).opened() as intake:
        outcomes = await intake.submit([*messages(3), bad, *messages(3)])
    rows = await graph.reader.rows("MATCH (i:Interaction) RETURN count(i) AS many")
    assert [number for number, each in enumerate(outcomes) if each.status is Status.REJECTED] == [3]
    assert rows == [{"many": 6}]


async def test_a_neo4j_that_does_not_answer_is_an_error_that_may_pass(unused_port: int) -> None:
    uri = f"bolt://127.0.0.1:{unused_port}"
    async with AsyncGraphDatabase.driver(uri, max_transaction_retry_time=0.1) as driver:
        away = Connection(driver, Reader(driver, "neo4j", Bookmarked()), Writer(driver, "neo4j", Bookmarked()))
        async with Intake(graph_commit(away)).opened() as intake:
            with pytest.raises(DatabaseAwayError):
                await intake.submit(messages(2))


async def test_a_commit_knows_in_which_contexts_its_messages_were_sent(ledger: Ledger) -> None:
    seen: list[list[object]] = []

    async def commit(group: Sequence[Message]) -> tuple[Outcome, ...]:
        seen.append([get_value("who", each) for each in SENT_IN.get()])
        return await ledger.commit(group)

    async with Intake(commit).opened() as intake, anyio.create_task_group() as tasks:
        ledger.gate = anyio.Event()
        for who in "abc":
            token = attach(set_value("who", who))
            tasks.start_soon(intake.submit, messages(2))
            detach(token)
            while who == "a" and not seen:
                await checkpoint()
        await anyio.wait_all_tasks_blocked()
        ledger.gate.set()
    assert seen == [["a"], ["b", "c"]]
