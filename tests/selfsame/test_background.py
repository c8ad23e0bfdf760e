"""What goes wrong in the background of the service is told by its kind, tried again, and ends nothing."""

from collections.abc import Iterator

import anyio
import pytest
from structlog.testing import capture_logs

from graph.errors import DatabaseAwayError
from selfsame import app
from tests.serving import PATIENCE_SECONDS


@pytest.mark.anyio
async def test_background_work_goes_on_after_any_error_and_logs_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "FAULT_SECONDS", 0.001)
    errors: Iterator[Exception] = iter([DatabaseAwayError("away"), KeyError("ann@x.com")])
    done = anyio.Event()

    async def work() -> None:
        error = next(errors, None)
        if error is not None:
            raise error
        done.set()

    with capture_logs() as lines:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app._until, anyio.Event(), 0.001, work, "it has to wait")
            with anyio.fail_after(PATIENCE_SECONDS):
                await done.wait()
            tasks.cancel_scope.cancel()
    told = [(line["log_level"], line["event"], line["error"]) for line in lines]
    assert told == [
        ("warning", "it has to wait", "DatabaseAwayError database_away"),
        ("error", "it has to wait", "KeyError"),
    ]
