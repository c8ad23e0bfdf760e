"""`kill -9` in the middle: what was acknowledged is there, once; who sends the rest again has everything, once."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import anyio
import orjson
import pytest

from graph.connection import Connection, connected
from graph.runs import runs
from tests.serving import Neo4jAddress, until
from tests.walks.crowd import Delivery, crowd
from tests.walks.processes import Served, alive, company_of, done, environment, new_keys, selfsame, served, started
from tests.walks.sending import Sent

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MESSAGES = 400
SENDERS = 4
LINES = 4_000
NOTICED_SECONDS = 60


async def send(service: Served, keys: tuple[str, str], delivery: Delivery) -> None:
    """Deliver by several senders at once."""
    async with company_of(service, keys) as company, anyio.create_task_group() as tasks:
        for _ in range(SENDERS):
            tasks.start_soon(delivery.run, company)


async def killed_in_the_middle(service: Served, keys: tuple[str, str], delivery: Delivery, pid: int) -> None:
    """Deliver, and kill a process once another quarter is acknowledged."""
    enough = len(delivery.acknowledged) + MESSAGES // 4
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, service, keys, delivery)
        await until(lambda: len(delivery.acknowledged) >= enough, 120)
        os.kill(pid, signal.SIGKILL)
    assert delivery.waiting


async def stored(service: Served) -> list[str]:
    """The ids of all interactions, and that each is counted once at its actor."""
    local = service.local()
    async with connected(local.uri, local.user, local.password) as connection:
        return await interactions(connection)


async def interactions(connection: Connection) -> list[str]:
    rows = await connection.reader.rows("MATCH (i:Interaction)-[:BY]->() RETURN i.id AS id")
    (counted,) = await connection.reader.rows("MATCH (i:Identifier) RETURN sum(i.interactions) AS many")
    assert counted["many"] == len(rows)
    return [row["id"] for row in rows]


def ids(messages: Sequence[Sent]) -> list[str]:
    return sorted(f"web:{each['messageId']}" for each in messages)


async def test_a_killed_service_and_then_a_killed_neo4j_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """One walk over three starts, since each costs some ten seconds; who kills what is told beside it.

    The third service has its Neo4j from start to end: commands find it, a second owner is refused, doctor sees it.
    """
    settings, delivery = environment(tmp_path), Delivery.of(crowd(MESSAGES))
    async with served(settings) as service:
        keys, neo4j = new_keys(settings), service.local().pid
        await killed_in_the_middle(service, keys, delivery, service.process.pid)
        assert service.process.wait() == -signal.SIGKILL
        await until(lambda: not alive(neo4j), NOTICED_SECONDS)
    async with served(settings) as service:
        await acknowledged_is_there_once(service, delivery)
        await killed_in_the_middle(service, keys, delivery, service.local().pid)
        await until(lambda: service.process.poll() is not None, NOTICED_SECONDS)
        assert service.process.returncode == 4
        assert "the local Neo4j ended by itself with status -9; what was acknowledged is kept" in service.said()
    async with served(settings) as service:
        await acknowledged_is_there_once(service, delivery)
        await send(service, keys, delivery)
        assert sorted(await stored(service)) == ids(crowd(MESSAGES))
        assert done(settings, "verify") == "verify: 0 differences\n"
        another_owner_is_refused(service)
        looked = done(settings | {"SELFSAME_PORT": service.url.rpartition(":")[2]}, "doctor")
        assert f"is in use; process {service.process.pid} runs on this data directory" in looked
        owned = service.local()
        assert service.end() == 0
        assert not alive(owned.pid)
        assert owned.password not in service.said()


def another_owner_is_refused(service: Served) -> None:
    neo4j = service.local()
    assert (neo4j.owner, neo4j.uri) == (service.process.pid, service.neo4j)
    second = selfsame(service.settings, "serve")
    assert second.returncode == 5
    holder = f"is in use by process {service.process.pid}, whose Neo4j answers at {neo4j.uri}"
    assert f"{service.settings['SELFSAME_DATA_DIR']} {holder}" in second.stderr
    assert "or set SELFSAME_DATA_DIR to another folder" in second.stderr


async def acknowledged_is_there_once(service: Served, delivery: Delivery) -> None:
    kept = await stored(service)
    assert len(kept) == len(set(kept))
    assert {f"web:{each}" for each in delivery.acknowledged} <= set(kept)


async def test_a_killed_load_goes_on_after_its_last_batch(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    settings, messages = environment(tmp_path / "data", neo4j_server), crowd(LINES)
    file = tmp_path / "crowd.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, messages)))

    with started(settings, "load", file) as load:
        await _begun(graph)
        load.kill()
    reached = await _position(graph)
    assert 0 < reached < LINES
    again = selfsame(settings, "load", file)
    assert (again.returncode, again.stdout.startswith(f"crowd.jsonl: {LINES:,} records, ")) == (0, True), again.stderr
    assert f"crowd.jsonl: went on after line {reached:,}" in again.stderr
    (run,) = await runs(graph.reader)
    assert (run.state, run.counts.records, run.counts.messages) == ("finished", LINES, LINES)
    assert run.counts.committed + run.counts.repeats == LINES
    assert run.counts.repeats <= 1_000  # the batch that was committed and not yet counted
    assert sorted(await interactions(graph)) == ids(messages)
    assert done(settings, "verify") == "verify: 0 differences\n"


async def _begun(graph: Connection) -> None:
    with anyio.fail_after(120):
        while not await _position(graph):  # noqa: ASYNC110 - it happens in another process
            await anyio.sleep(0.05)


async def _position(graph: Connection) -> int:
    found = await runs(graph.reader)
    return found[0].position if found else 0
