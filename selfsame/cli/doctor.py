"""`selfsame doctor`: what is configured, reachable, and wrong."""

from rich.table import Table

from selfsame.checkup import Mark, configured, findings
from selfsame.cli.exits import Exit, finish, shown
from selfsame.settings import load_settings


def doctor() -> None:
    """Say what is configured, reachable, and wrong; exit status 1 when something is wrong. Starts nothing."""

    async def work() -> Exit:
        settings = load_settings()
        table = Table("setting", "value", "from")
        for row in configured(settings):
            table.add_row(*row)
        shown.print(table)
        wrong = 0
        async for each in findings(settings):
            print(f"{each.mark} {each.about}: {each.sentence}")
            wrong += each.mark is Mark.WRONG
        print("something is wrong" if wrong else "all is well")
        return Exit.WRONG if wrong else Exit.DONE

    finish(work)
