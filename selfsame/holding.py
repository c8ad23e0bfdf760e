"""Which process executes a load, told so that another one can see whether it lives."""

import os
import re
import socket

from graph.runs import Hold

NAME = re.compile(r"(?P<host>.+):(?P<process>\d+)\Z")


def hold(*, take_over: bool = False) -> Hold:
    """This process, as the runs name it. take_over: to take a load from another one, whether or not that is alive."""
    return Hold(f"{socket.gethostname()}:{os.getpid()}", gone, take_over)


def gone(holder: str) -> bool:
    """Whether a process is known to have ended; of one on another machine nothing is known."""
    found = NAME.match(holder)
    if found is None or found["host"] != socket.gethostname() or os.name == "nt":
        return False
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is somebody else's, and alive
        return False
    return False
