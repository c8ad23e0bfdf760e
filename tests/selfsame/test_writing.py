"""What is written in one turn goes together, and nothing of it is lost or comes late."""

from asyncio import Transport, get_running_loop, sleep
from typing import cast

import pytest

from selfsame.writing import MOST_KEPT, Gathered

pytestmark = pytest.mark.anyio


class Wire(Transport):
    """A transport that remembers what it was told to do."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5)})
        self.told: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.told.append("close")


def gathered() -> tuple[Gathered, Wire]:
    wire = Wire()
    return Gathered(cast("Transport", wire), get_running_loop()), wire


async def test_the_parts_of_one_turn_are_one_write_and_the_next_turns_another() -> None:
    line, wire = gathered()
    line.write(b"head")
    line.write(b"body")
    assert wire.told == []
    await sleep(0)
    line.write(b"more")
    await sleep(0)
    assert wire.told == [b"headbody", b"more"]


async def test_a_connection_closes_behind_what_was_written() -> None:
    line, wire = gathered()
    line.write(b"last")
    line.close()
    await sleep(0)
    assert wire.told == [b"last", "close"]


async def test_who_writes_without_a_pause_meets_the_limits_of_the_transport() -> None:
    line, wire = gathered()
    line.write(b"a" * (MOST_KEPT - 1))
    assert wire.told == []
    line.write(b"b")
    assert [len(each) for each in wire.told] == [MOST_KEPT]
    await sleep(0)
    assert len(wire.told) == 1


async def test_all_else_is_the_transports_own() -> None:
    line, _ = gathered()
    assert line.get_extra_info("peername") == ("127.0.0.1", 5)
