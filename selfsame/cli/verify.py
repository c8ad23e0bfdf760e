"""`selfsame verify` and `selfsame rebuild`: whether what is stored is what follows from the evidence."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from graph.audit import Cause, CauseKind
from graph.connection import Connection
from graph.pending import drain_pending
from graph.policies import PolicyHeld
from graph.policy_state import refuse_while_applying
from graph.rebuild import Difference
from graph.rebuild import rebuild as rebuilt
from graph.rebuild import verify as differences
from identity.messages import micros
from selfsame.cli.exits import Exit, finish, shown, told
from selfsame.cli.reaching import reached_in_sight, who
from selfsame.clock import now
from selfsame.ruling import policy_held
from selfsame.settings import load_settings


def verify(
    most: Annotated[int, typer.Option(min=1, help="List at most so many differences.")] = 100,
) -> None:
    """Recompute everything from the evidence and compare it with what is stored; exit status 1 on any difference."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            found = await _found(connection, await policy_held(settings, connection))
        _show(found, most)
        return Exit.WRONG if found else Exit.DONE

    finish(work)


async def _found(connection: Connection, held: PolicyHeld) -> Sequence[Difference]:
    with told.status("Recomputing everything from the evidence …"):
        await drain_pending(connection.writer, held, micros(now()))
        return await differences(connection.reader, held.policy)


def _show(found: Sequence[Difference], most: int) -> None:
    noun = "difference" if len(found) == 1 else "differences"
    print(f"verify: {len(found)} {noun}")
    if not found:
        return
    table = Table("what", "of", "stored", "follows from the evidence")
    for each in found[:most]:
        table.add_row(each.what, each.subject, each.stored, each.expected)
    shown.print(table)
    if len(found) > most:
        print(f"and {len(found) - most} more; --most lists more")
    print("`selfsame rebuild` writes what follows from the evidence")


def rebuild() -> None:
    """Write what follows from the evidence wherever something else is stored. Stop writers first."""

    async def work() -> Exit:
        settings = load_settings()
        async with reached_in_sight(settings) as connection:
            held = await policy_held(settings, connection)
            await connection.writer.write(refuse_while_applying)
            with told.status("Writing what follows from the evidence …"):
                await drain_pending(connection.writer, held, micros(now()))
                cause = Cause(CauseKind.REBUILD, who())
                profiles = await rebuilt(connection.reader, connection.writer, held.policy, cause, micros(now()))
        print(f"rebuild: {profiles:,} profiles stand as the evidence says")
        return Exit.DONE

    finish(work)
