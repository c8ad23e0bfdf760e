"""The child process that runs Neo4j: launched, heard, stopped."""

import json
import os
import socket
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, IncompleteRead
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from graph.server.configuration import ServerSettings, neo4j_conf
from graph.server.errors import PortTakenError, StartFailedError

CHILD = Path(__file__).with_name("child.py")
START_SECONDS = 180.0
STOP_SECONDS = 35.0
TAIL_LINES = 20
LOGS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Launched:
    """A child that said its Bolt port. log: where it writes what it has to say."""

    process: Process
    port: int
    log: Path


async def launched(settings: ServerSettings, jars: Path, held: int, options: Sequence[str] = ()) -> Launched:
    """Start the child and hear its port. held: a descriptor that the child keeps open as long as it lives.

    Raises PortTakenError, and StartFailedError with the tail of its log.
    """
    _refuse_taken(settings.bolt_port)
    conf = settings.data_dir / "neo4j.conf"
    conf.write_text(neo4j_conf(settings), "utf-8")
    log = _fresh_log(settings.data_dir / "logs")
    with log.open("ab") as output:
        process = await anyio.open_process(
            [*_command(settings, jars, conf), *options],
            stderr=output,
            cwd=settings.data_dir,
            pass_fds=(held,),
            start_new_session=True,  # Ctrl-C in the terminal is for the owner, who then stops the child
        )
    try:
        return Launched(process, await _port(process, log), log)
    except BaseException:
        await ended(process, at_once=True)
        raise


async def ended(process: Process, *, at_once: bool = False, limit: float = STOP_SECONDS) -> int:
    """Stop the child, cleanly unless `at_once` or past the limit in seconds; its exit status. May run again."""
    with anyio.CancelScope(shield=True):
        if process.stdin:
            with suppress(BrokenResourceError, ClosedResourceError):
                await process.stdin.aclose()
        if not at_once:
            with anyio.move_on_after(limit):
                await process.wait()
        if process.returncode is None:
            process.kill()
        status = await process.wait()
        await process.aclose()
    return status


def _command(settings: ServerSettings, jars: Path, conf: Path) -> list[str]:
    # -P keeps the folder of child.py off the import path: `lock` and `errors` are names that others have, too.
    return [
        *(sys.executable, "-P", str(CHILD)),
        *("--home", str(settings.data_dir / "neo4j"), "--conf", str(conf), "--jars", str(jars)),
        *("--heap-mb", str(settings.heap_mb), "--parent", str(os.getpid())),
    ]


def _refuse_taken(port: int | None) -> None:
    if not port:
        return
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(
                f"port {port} of this machine cannot be used for Neo4j ({error.strerror}); "
                "set SELFSAME_NEO4J_PORT to another one, or to 0 for any free one"
            ) from error


def _fresh_log(folder: Path) -> Path:
    """An empty neo4j.log; the last three are kept beside it as neo4j.log.1, .2 and .3."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "neo4j.log"
    older = [log, *(folder / f"neo4j.log.{number}" for number in range(1, LOGS_KEPT + 1))]
    for newer, old in reversed(list(pairwise(older))):
        if newer.exists():
            newer.replace(old)
    return log


async def _port(process: Process, log: Path) -> int:
    output = BufferedByteReceiveStream(cast("ByteReceiveStream", process.stdout))
    with anyio.move_on_after(START_SECONDS):
        try:
            line = await output.receive_until(b"\n", 1 << 20)
        except (EndOfStream, IncompleteRead):
            status = await process.wait()
            raise _failure(f"its process ended with status {status}", log) from None
        answer = json.loads(line)
        if "port" in answer:
            return int(answer["port"])
        raise _failure(str(answer["failed"]), log)
    raise _failure(f"it was silent for {START_SECONDS:.0f} s", log)


def _failure(reason: str, log: Path) -> StartFailedError:
    with log.open(encoding="utf-8", errors="replace") as lines:
        tail = "".join(deque(lines, TAIL_LINES)).rstrip()
    return StartFailedError(f"Neo4j did not start: {reason}\nThe end of {log}:\n{tail or '(empty)'}")
