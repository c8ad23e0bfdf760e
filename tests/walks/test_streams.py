"""Topics of a real Kafka into the graph: shared, killed, cut off, bad; nothing is lost and nothing is there twice."""

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import orjson
import pytest

from graph import connection as doors
from graph.connection import Connection, connected
from graph.dead_letters import dead_letters
from graph.runs import RunState, runs
from identity.messages import SourceName
from loaders.kafka.settings import Subscription, client_settings
from loaders.runs import RunReport, Work
from loaders.sources import Source
from loaders.streams import Flow, Pace, consume, opened_topics
from selfsame.cli.load import into
from selfsame.ruling import policy_held
from selfsame.settings import Settings
from tests.serving import Neo4jAddress, require, until
from tests.walks.crowd import crowd
from tests.walks.passage import passage
from tests.walks.processes import done, environment, here, started
from tests.walks.test_kills import ids, interactions

if TYPE_CHECKING:
    from tests.kafka.broker import Broker

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]
WEB = Source(name=SourceName("web"))
PARTITIONS = 4
SECONDS = 180  # the machine may be busy


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Broker]":
    """One Kafka for all of these."""
    try:
        from tests.kafka.broker import kafka  # noqa: PLC0415 - stands on a part that need not be there
    except ModuleNotFoundError:
        require(None, "confluent-kafka")
        raise
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@dataclass
class Member:
    """One of a group, in a task of this process."""

    subscription: Subscription
    stop: anyio.Event = field(default_factory=anyio.Event)
    flows: list[Flow] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    report: RunReport | None = None

    async def run(self, graph: Connection) -> None:
        held = await policy_held(Settings(), graph)
        pace = Pace(self.stop, self.flows.append, self.troubles.append)
        with opened_topics(self.subscription, self.troubles.append) as topics:
            self.report = await consume(topics, self.subscription, Work(WEB, None, into(graph, held)), pace)

    @property
    def records(self) -> int:
        return self.flows[-1].counts.records if self.flows else 0

    @property
    def repeats(self) -> int:
        assert self.report
        return self.report.counts.repeats


def member(broker: "Broker", topic: str) -> Member:
    return Member(Subscription((topic,), client_settings(None, broker.plain, "crowd")))


def packed(messages: Sequence[object]) -> list[bytes]:
    return list(map(orjson.dumps, messages))


async def test_a_topic_is_handed_over_in_the_middle_and_while_the_graph_is_away_for_one(
    broker: "Broker", graph: Connection, neo4j_server: Neo4jAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the graph gives half of what was read away unwritten, and commits no offset of it."""
    messages, topic = crowd(600), broker.topic("shared", PARTITIONS)
    first, second = member(broker, topic), member(broker, topic)
    monkeypatch.setattr(doors, "PATIENCE_SECONDS", 1)
    async with (
        passage(neo4j_server.uri) as way,
        connected(way.uri, neo4j_server.user, neo4j_server.password) as cut,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(first.run, cut)
        broker.send(topic, packed(messages[:200]), PARTITIONS)
        await until(lambda: first.records == 200, SECONDS)
        way.cut()
        broker.send(topic, packed(messages[200:400]), PARTITIONS)
        await until(lambda: any("takes nothing" in each for each in first.troubles), SECONDS)
        tasks.start_soon(second.run, graph)
        await until(lambda: second.records == 100, SECONDS)
        assert set(broker.committed("crowd", topic).values()) == {50, 100}
        way.mend()
        broker.send(topic, packed(messages[400:]), PARTITIONS)
        await until(lambda: (first.records, second.records) == (400, 200), SECONDS)
        first.stop.set()
        second.stop.set()
    assert broker.committed("crowd", topic) == dict.fromkeys(range(PARTITIONS), 150)
    assert sorted(await interactions(graph)) == ids(messages)
    assert (first.repeats, second.repeats) == (0, 0)
    assert {(run.state, run.load.file) for run in await runs(graph.reader)} == {(RunState.FINISHED, "kafka:shared")}


async def test_killed_between_the_two_commits_it_is_read_again_and_known(
    broker: "Broker", graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    messages, topic = crowd(100), broker.topic("killed")
    settings = environment(tmp_path / "data", neo4j_server)
    broker.send(topic, packed(messages))
    dying = [sys.executable, "-m", "tests.kafka.dying", broker.plain, topic]
    killed = await anyio.run_process(dying, env=settings, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert sorted(await interactions(graph)) == ids(messages)
    assert broker.committed("selfsame", topic) == {}

    with started(settings, "consume", topic, "--brokers", broker.plain) as again:
        await until(lambda: broker.committed("selfsame", topic) == {0: 100}, SECONDS)
        assert again.end() == 0, again.said()
    assert sorted(await interactions(graph)) == ids(messages)
    after, before = await runs(graph.reader)
    assert (after.state, after.counts.repeats, after.counts.committed) == (RunState.FINISHED, 100, 0)
    assert (before.state, before.counts.records) == (RunState.RUNNING, 0)
    assert done(settings, "verify") == "verify: 0 differences\n"


MAPPING = """
source = "crm"
[[skip]]
when = "kind == 'test'"
because = "a test"
[[message]]
kind = "track"
name = { const = "Called" }
identifiers = [{ namespace = "user_id", value = "id" }]
"""


async def test_bad_records_are_dead_letters_with_their_place_and_are_replayed(
    broker: "Broker", graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """The id of a record without one is its place, also when it is replayed or read by another group."""
    settings, topic = environment(tmp_path / "data", neo4j_server), broker.topic("bad")
    rules = tmp_path / "crm.toml"
    rules.write_text(MAPPING)
    values = [b'{"id":1}', b"{", b'{"number":2}', None, b'{"id":"\xff"}', b'{"kind":"test"}', b'{"id":1}']
    broker.send(topic, values)
    consume_ = ("consume", topic, "--until-end", "--brokers", broker.plain, "--mapping", rules, "--group")
    ended = here(settings, *consume_, "one")
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.startswith("kafka:bad: 7 records, 2 committed, 0 known already, 2 passed over, 3 rejected\n")
    assert "passed over: a deletion of its key, which has no value (1)" in ended.stdout
    letters = {each.rejection.place: each.rejection.code for each in await dead_letters(graph.reader)}
    assert letters == {"bad:0:1": "not_json", "bad:0:2": "no_identifier", "bad:0:4": "broken_encoding"}
    assert broker.committed("one", topic) == {0: 7}

    rules.write_text(MAPPING.replace('value = "id"', 'value = "id || number"'))
    replay = here(settings, "deadletters", "replay", "--code", "no_identifier", "--mapping", rules)
    assert replay.stdout.startswith("1 loaded (1 committed)")
    again = here(settings, *consume_, "two")
    assert "kafka:bad: 7 records, 0 committed, 3 known already" in again.stdout
    assert sorted(await interactions(graph)) == [f"crm:bad:0:{number}" for number in (0, 2, 6)]
    assert "crm kafka:bad by crm.toml finished: 7 records, 3 known already, 2 rejected (100%" in done(settings, "runs")


async def test_a_password_comes_from_a_file_and_is_never_shown(
    broker: "Broker", graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    from tests.kafka.broker import PASSWORD, USER  # noqa: PLC0415 - as above

    topic, file = broker.topic("guarded"), tmp_path / "kafka.properties"
    settings = environment(tmp_path / "data", neo4j_server, SELFSAME_CONSUME_SETTINGS=str(file))
    broker.send(topic, packed(crowd(10)))
    lines = f"bootstrap.servers={broker.guarded}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
    file.write_text(f"# who we are\n{lines}sasl.username={USER}\nsasl.password=wrong-secret\n")
    refused = here(settings, "consume", topic, "--until-end")
    assert (refused.returncode, "the brokers refuse us" in refused.stderr) == (2, True), refused.stderr
    assert "wrong-secret" not in refused.stderr
    file.write_text(f"{lines}sasl.username={USER}\nsasl.password={PASSWORD}\n")
    absent = here(settings, "consume", "absent", "--until-end")
    assert (absent.returncode, "there is no topic `absent`" in absent.stderr) == (2, True)
    assert done(settings, "consume", topic, "--until-end").startswith("kafka:guarded: 10 records, 10 committed")
