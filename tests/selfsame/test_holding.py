"""Which process executes a load, and whether it lives."""

import os
import socket
import subprocess
import sys

import pytest

from selfsame.holding import gone, hold


def named(process: int, host: str | None = None) -> str:
    return f"{host or socket.gethostname()}:{process}"


def test_a_hold_is_named_after_this_machine_and_this_process() -> None:
    assert (hold().name, hold().take_over, hold(take_over=True).take_over) == (named(os.getpid()), False, True)


def test_a_process_that_runs_is_not_gone() -> None:
    assert not hold().gone(hold().name)
    assert not gone(named(os.getppid()))


def test_a_process_that_has_ended_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert gone(named(ended.pid))


@pytest.mark.parametrize("name", [named(1, "another-machine"), "a load", "", named(0) + "x", "no-number:"])
def test_of_a_process_elsewhere_or_of_another_name_nothing_is_known(name: str) -> None:
    assert not gone(name)


def test_somebody_elses_process_is_not_gone() -> None:
    """That it may not be signalled says that it is there."""
    assert not gone(named(1))
