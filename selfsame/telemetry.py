"""Log lines, to the standard error output: for people, or one JSON object a line."""

import atexit
import logging
import sys
import traceback
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from selfsame.settings import LogFormat, Settings


def configure_logs(settings: Settings) -> None:
    """Set how this process logs; may run again. Personal data belongs into no line.

    So of an error its type and where it came from are told, and no value of a variable. Its own text, which may quote
    one, is told at level `debug` alone. What libraries log goes the same way.
    """
    whole = settings.log_level.lower() == "debug"
    last: Processor = (
        structlog.processors.JSONRenderer(_json)
        if settings.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            partial(_traced, told=whole),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=_always(Lines(sys.stderr)),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [*(each for each in root.handlers if not isinstance(each, _Libraries)), _Libraries(whole)]


class _Libraries(logging.Handler):
    """What libraries warn of, as lines of ours.

    Python would write their text and the text of errors as they are: uvicorn tells every error of an application so,
    asyncio that of a task nobody waited for. whole: tell the text, else only its pattern, without what is filled in.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__(logging.WARNING)
        self._whole = whole

    def emit(self, record: logging.LogRecord) -> None:
        pattern, _, _ = str(record.msg).partition("\n")
        said = record.getMessage() if self._whole else pattern
        error = record.exc_info[1] if record.exc_info else None
        tell = log().error if record.levelno >= logging.ERROR else log().warning
        tell("a library warns", library=record.name, said=said, exc_info=error)


class Lines:
    """Where lines go: those of one turn of the event loop by one write, what warns at once, with all that is before it.

    With sixteen callers a write for each request took a twentieth of the service's time. Lines that find no room, on a
    full disk or in a pipe that nobody reads, end nobody's work.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._kept: deque[str] = deque()
        self._soon = False
        atexit.register(self.flush)

    def info(self, line: str) -> None:
        """Write a line, soon."""
        self._kept.append(line)
        if self._soon:
            return
        try:
            get_running_loop().call_soon(self.flush)
            self._soon = True
        except RuntimeError:  # no event loop runs here
            self.flush()

    def warning(self, line: str) -> None:
        """Write a line now."""
        self._kept.append(line)
        self.flush()

    msg = debug = info
    error = exception = critical = fatal = warn = warning

    def flush(self) -> None:
        """Write what is kept."""
        self._soon = False  # before the rest: who keeps a line from now on sees to it
        parts = []
        with suppress(IndexError):
            while True:
                parts.append(self._kept.popleft())
        if parts:
            with suppress(OSError, ValueError):
                self._file.write("\n".join((*parts, "")))
                self._file.flush()


def _json(line: EventDict, **_: object) -> str:
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _traced(_: object, __: str, event: EventDict, *, told: bool) -> EventDict:
    """An event whose error, if it has one, is a type, a place, and with `told` its text."""
    error = event.pop("exc_info", None)
    error = sys.exc_info()[1] if error is True else error
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__ + (f": {error}" if told else "")
        event["trace"] = [f"{each.filename}:{each.lineno} {each.name}" for each in frames]
    return event


def _always(lines: Lines) -> Callable[..., Lines]:
    return lambda *_: lines


def log() -> FilteringBoundLogger:
    """Where the front door logs."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
