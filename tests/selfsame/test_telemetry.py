"""What is logged of an error: where it came from, and no value that it met."""

import sys
from contextlib import suppress

import pytest
import structlog

from selfsame.settings import LogFormat, Settings
from selfsame.telemetry import configure_logs, log

ADDRESS = "somebody@example.com"


def fail(address: str) -> None:
    raise KeyError(address)


@pytest.fixture(autouse=True)
def as_before() -> object:
    yield
    structlog.reset_defaults()


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


def test_a_line_that_finds_no_room_ends_nobodys_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 -- a device, which says that the disk is full
        monkeypatch.setattr(sys, "stderr", full)
        configure_logs(Settings(log_format=LogFormat.JSON))
        log().info("nobody hears it", text="a" * 100_000)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
