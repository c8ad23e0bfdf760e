"""One owner per data directory."""

import json
import os
import sys
from pathlib import Path

import anyio
import pytest

from graph.server.errors import DataOwnedError
from graph.server.owning import LOCK, Holder, holder_of, owned

pytestmark = pytest.mark.anyio


async def test_a_second_owner_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    first = await owned(tmp_path)
    first.note("bolt://127.0.0.1:7")
    with pytest.raises(DataOwnedError, match=f"in use by process {os.getpid()}, whose Neo4j answers at bolt://127"):
        await owned(tmp_path)
    assert holder_of(tmp_path) == Holder(os.getpid(), "bolt://127.0.0.1:7")
    first.release()


async def test_a_directory_given_back_is_free(tmp_path: Path) -> None:
    (await owned(tmp_path)).release()
    assert holder_of(tmp_path) is None
    (await owned(tmp_path)).release()


async def test_what_a_killed_owner_noted_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(json.dumps({"pid": os.getpid(), "uri": ""}))
    (await owned(tmp_path)).release()


async def test_the_lock_of_a_dead_owner_is_waited_for(tmp_path: Path) -> None:
    """Its Neo4j has the descriptor and goes down a moment later."""
    mine = await owned(tmp_path)
    os.pwrite(mine.descriptor, json.dumps({"pid": await gone(), "uri": ""}).encode(), 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(released_soon, mine.descriptor)
        with anyio.fail_after(20):
            (await owned(tmp_path)).release()


async def released_soon(descriptor: int) -> None:
    await anyio.sleep(0.3)
    os.close(descriptor)


async def gone() -> int:
    async with await anyio.open_process([sys.executable, "-c", ""]) as process:
        await process.wait()
    return process.pid
