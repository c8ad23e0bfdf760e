"""How a command ends: its exit status, and the sentence for a person. docs/cli.md says the same; a test compares."""

import os
import sys
from collections.abc import Awaitable, Callable
from enum import IntEnum

import anyio
import typer
from rich.console import Console
from rich.traceback import Traceback

from graph.errors import GraphError
from graph.failures import may_pass
from identity.errors import IdentityError
from loaders.errors import LoaderError
from selfsame.errors import FrontDoorError

KNOWN_ERRORS = (FrontDoorError, GraphError, IdentityError, LoaderError)

shown = Console(highlight=False)
told = Console(stderr=True, highlight=False)


class Exit(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    WRONG = 1
    USAGE = 2
    REJECTED = 3
    AWAY = 4
    REFUSED = 5
    VERSION = 6
    FAULT = 70
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done, and all is well",
    Exit.WRONG: "a check found something wrong: `verify` found differences, `doctor` found trouble",
    Exit.USAGE: "an argument, a setting, a mapping, a policy or an input file cannot be used",
    Exit.REJECTED: "done, but some records were rejected; they are listed and kept as dead letters",
    Exit.AWAY: "Neo4j, or a database or stream to load from, does not answer, did not start, or could not be fetched",
    Exit.REFUSED: "the machine refuses: a port or a load is taken, a folder is not writable, the disk is full",
    Exit.VERSION: "the database was written by another version of Selfsame",
    Exit.FAULT: "a fault in Selfsame itself; `SELFSAME_LOG_LEVEL=debug` shows where",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}

# Every code of an error that can end a command.
EXIT_OF_CODE = {
    "front_door": Exit.FAULT,
    "settings_invalid": Exit.USAGE,
    "environment_refuses": Exit.REFUSED,
    "input_invalid": Exit.USAGE,
    "check_failed": Exit.WRONG,
    "loader": Exit.USAGE,
    "body_invalid": Exit.USAGE,
    "body_too_large": Exit.USAGE,
    "body_stalled": Exit.AWAY,
    "queue_full": Exit.AWAY,
    "intake_closed": Exit.AWAY,
    "mapping_invalid": Exit.USAGE,
    "columns_changed": Exit.USAGE,
    "file_unreadable": Exit.USAGE,
    "part_missing": Exit.USAGE,
    "source_away": Exit.AWAY,
    "stream_refused": Exit.USAGE,
    "graph": Exit.AWAY,
    "database_away": Exit.AWAY,
    "database_broken": Exit.AWAY,
    "schema_too_new": Exit.VERSION,
    "migration_changed": Exit.VERSION,
    "namespace_conflict": Exit.USAGE,
    "name_conflict": Exit.USAGE,
    "unknown_identifier": Exit.USAGE,
    "erasure_key": Exit.USAGE,
    "policy_applying": Exit.AWAY,
    "graph_not_empty": Exit.USAGE,
    "run_held": Exit.REFUSED,
    "run_taken": Exit.REFUSED,
    "transactions_open": Exit.AWAY,
    "erasures_open": Exit.AWAY,
    "policy_written": Exit.USAGE,
    "decision_invalid": Exit.USAGE,
    "too_many_pairs": Exit.USAGE,
    "unknown_decision": Exit.USAGE,
    "local_neo4j": Exit.AWAY,
    "neo4j_not_fetched": Exit.AWAY,
    "neo4j_fetch_stopped": Exit.AWAY,
    "neo4j_checksum": Exit.AWAY,
    "disk_full": Exit.REFUSED,
    "folder_not_writable": Exit.REFUSED,
    "data_dir_owned": Exit.REFUSED,
    "neo4j_port_taken": Exit.REFUSED,
    "neo4j_start_failed": Exit.AWAY,
    "neo4j_password_lost": Exit.AWAY,
    "compaction_failed": Exit.AWAY,
    "import_failed": Exit.AWAY,
    "erasure_unfinished": Exit.AWAY,
    "identity": Exit.USAGE,
    "policy_invalid": Exit.USAGE,
}


def finish(work: Callable[[], Awaitable[Exit]]) -> None:
    """Run a command's work to its end and leave with its exit status; an error is a sentence, never a traceback."""
    raise typer.Exit(_ended(work))


def _ended(work: Callable[[], Awaitable[Exit]]) -> Exit:
    try:
        return anyio.run(work, backend_options={"use_uvloop": sys.platform != "win32"})
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge: whatever happened becomes a sentence and an exit status
        return explained(error)


def explained(error: Exception) -> Exit:
    """Print what went wrong as a sentence, and answer the exit status that belongs to it."""
    cause = _cause(error)
    if isinstance(cause, BrokenPipeError):
        return Exit.DONE  # the reader of our output has seen enough
    if isinstance(cause, KNOWN_ERRORS):
        told.print(f"selfsame: {cause}", markup=False, soft_wrap=True)
        return EXIT_OF_CODE[cause.code]
    if isinstance(cause, OSError):
        told.print(f"selfsame: {cause}", markup=False, soft_wrap=True)
        return Exit.REFUSED
    if may_pass(cause):  # the database under more load than its retries outlast
        told.print(f"selfsame: the database is too busy, run it again: {cause}", markup=False, soft_wrap=True)
        return Exit.AWAY
    fault = f"selfsame: a fault in Selfsame itself: {type(cause).__name__}: {cause}"
    told.print(fault, markup=False, soft_wrap=True)
    if os.environ.get("SELFSAME_LOG_LEVEL") == "debug":
        told.print(Traceback.from_exception(type(cause), cause, cause.__traceback__))
    return Exit.FAULT


def _cause(error: Exception) -> Exception:
    """The first error inside the groups that task groups make."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
