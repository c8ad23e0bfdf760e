"""`kill -9` and full disks: what was acknowledged is there, once; who sends the rest again has everything, once."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import orjson
import pytest

from graph.connection import Connection, connected
from graph.runs import runs
from tests.serving import Neo4jAddress, until
from tests.walks.crowd import Delivery, crowd, heavy
from tests.walks.disk import Disk, disk_at
from tests.walks.processes import (
    SELFSAME,
    Served,
    alive,
    company_of,
    done,
    environment,
    here,
    new_keys,
    selfsame,
    served,
    started,
)
from tests.walks.sending import Sent

pytestmark = [pytest.mark.anyio, pytest.mark.neo4j]

MESSAGES = 200
SENDERS = 4
FEW_TOGETHER = 10
HEAVY, TOGETHER = 2_000, 100
LINES = 2_000
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


async def test_a_killed_service_a_killed_neo4j_and_a_full_disk_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """One walk over four starts, since each costs some ten seconds; what goes wrong is told beside it.

    The last service has its Neo4j from start to end: commands find it, a second owner is refused, doctor sees it.
    """
    with disk_at(tmp_path / "disk") as disk:
        await _lost_nothing(disk, Delivery.of(crowd(MESSAGES), FEW_TOGETHER), Delivery.of(heavy(HEAVY), TOGETHER))


async def _lost_nothing(disk: Disk, delivery: Delivery, large: Delivery) -> None:
    settings = environment(disk.folder)
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
        disk.fill(service.local().pid)
        async with company_of(service, keys) as company:
            await large.run(company)
        assert large.waiting
        await until(lambda: service.process.poll() is not None, NOTICED_SECONDS)
        assert service.process.returncode == (5 if disk.mounted else 4)
        assert "the local Neo4j has stopped working" in service.said()
        assert not disk.mounted or f"the disk of {disk.folder} has 0 MB free" in " ".join(service.said().split())
    if disk.mounted:
        assert "1024 MB are needed" in selfsame(settings, "serve").stderr
    disk.mend()
    refused = Delivery.of(large.waiting[-1], TOGETHER)
    async with served(settings) as service:
        await acknowledged_is_there_once(service, large)
        await send(service, keys, refused)
        await send(service, keys, delivery)
        told = large.acknowledged | refused.acknowledged | delivery.acknowledged
        assert sorted(await stored(service)) == sorted(f"web:{each}" for each in told)
        assert {each["messageId"] for each in crowd(MESSAGES)} == delivery.acknowledged
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
        os.kill(load.process.pid, signal.SIGSTOP)  # it lives, and is not done before the other one asks
        other = here(settings, "load", file)
        assert (other.returncode, other.stdout) == (5, "")
        assert f"crowd.jsonl is being loaded by {socket.gethostname()}:{load.process.pid}, which has " in other.stderr
        load.kill()
    reached = await _position(graph)
    assert 0 < reached < LINES
    again = here(settings, "load", file)
    assert (again.returncode, again.stdout.startswith(f"crowd.jsonl: {LINES:,} records, ")) == (0, True), again.stderr
    assert f"crowd.jsonl: went on after line {reached:,}" in again.stderr
    (run,) = await runs(graph.reader)
    assert (run.state, run.counts.records, run.counts.messages) == ("finished", LINES, LINES)
    assert run.counts.committed + run.counts.repeats == LINES
    assert run.counts.repeats <= 1_000  # the batch that was committed and not yet counted
    assert sorted(await interactions(graph)) == ids(messages)
    assert done(settings, "verify") == "verify: 0 differences\n"


async def test_a_killed_load_of_the_standard_input_has_stopped_and_the_same_piped_again_is_taken_once(
    graph: Connection, neo4j_server: Neo4jAddress, tmp_path: Path
) -> None:
    """Nobody knows whether it is the same, so its run cannot be gone on with; what it committed is known."""
    settings = environment(tmp_path, neo4j_server)
    messages = [{**each, "integrations": {"padding": "x" * 300}} for each in crowd(1_200)]
    text = b"".join(orjson.dumps(each) + b"\n" for each in messages)
    with piped(settings, text[: text.rindex(b"\n", 0, -1)]) as load:  # and no end: it waits for more
        await _begun(graph)
        load.kill()
    assert "web - stopped: 1,000 records" in done(settings, "runs")
    with piped(settings, text) as load:
        said, _ = load.communicate()
    assert said.startswith(b"-: 1,200 records, 200 committed, 1,000 known already")
    assert sorted(await interactions(graph)) == ids(messages)
    assert sorted(each.state for each in await runs(graph.reader)) == ["finished", "running"]


@contextmanager
def piped(settings: Mapping[str, str], text: bytes) -> Iterator["subprocess.Popen[bytes]"]:
    """A load of the standard input, which has been given this much."""
    command = [str(SELFSAME), "load", "-", "--format", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=settings, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as load:
        assert load.stdin
        load.stdin.write(text)
        load.stdin.flush()
        yield load


async def _begun(graph: Connection) -> None:
    with anyio.fail_after(120):
        while not await _position(graph):  # noqa: ASYNC110 - it happens in another process
            await anyio.sleep(0.05)


async def _position(graph: Connection) -> int:
    found = await runs(graph.reader)
    return found[0].position if found else 0
