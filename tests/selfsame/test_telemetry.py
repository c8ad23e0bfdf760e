"""What is logged of an error: where it came from, and no value that it met."""

import logging
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
import structlog

from selfsame.settings import LogFormat, Settings
from selfsame.telemetry import configure_logs, log

ADDRESS = "somebody@example.com"


def fail(address: str) -> None:
    raise KeyError(address)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers = logging.getLogger().handlers
    yield
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()


def warn_like_libraries() -> None:
    """As uvicorn tells an error of an application, and asyncio that of a task: one has put the values in by itself."""
    try:
        fail(ADDRESS)
    except KeyError as error:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        logging.getLogger("asyncio").error(f"Task exception was never retrieved\nexception={error!r}")  # noqa: G004, TRY400 - as asyncio does it
        logging.getLogger("exporter").warning("no answer from %s", ADDRESS)


@pytest.mark.parametrize("form", list(LogFormat))
def test_an_error_is_told_by_type_and_place_without_any_value(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings(log_format=form))
    try:
        fail(ADDRESS)
    except KeyError as error:
        log().error("a request failed", exc_info=error)
    told = capsys.readouterr().err
    assert "KeyError" in told
    assert "test_telemetry.py" in told
    assert ADDRESS not in told


def test_at_debug_its_text_is_told_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON, log_level="debug"))
    try:
        fail(ADDRESS)
    except KeyError as error:
        log().error("a request failed", exc_info=error)
    assert ADDRESS in capsys.readouterr().err


@pytest.mark.parametrize("form", list(LogFormat))
def test_what_libraries_log_is_told_without_any_value(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in "12":  # once, however often it is set
        configure_logs(Settings(log_format=form))
    warn_like_libraries()
    told = capsys.readouterr().err
    assert told.count("a library warns") == 3
    for said in ("Exception in ASGI application", "Task exception was never retrieved", "no answer from %s"):
        assert told.count(said) == 1
    assert "test_telemetry.py" in told
    assert ADDRESS not in told


def test_at_debug_what_libraries_log_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format=LogFormat.JSON, log_level="debug"))
    warn_like_libraries()
    assert capsys.readouterr().err.count(ADDRESS) == 3


def test_a_line_that_finds_no_room_ends_nobodys_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 -- a device, which says that the disk is full
        monkeypatch.setattr(sys, "stderr", full)
        configure_logs(Settings(log_format=LogFormat.JSON))
        log().info("nobody hears it", text="a" * 100_000)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
