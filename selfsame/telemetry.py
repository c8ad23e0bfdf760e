"""Log lines, to the standard error output: for people, or one JSON object a line."""

import logging
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from selfsame.settings import LogFormat, Settings


def configure_logs(settings: Settings) -> None:
    """Set how this process logs; may run again. Personal data belongs into no line.

    So of an error its type and where it came from are told, and no value of a variable. Its own text, which may quote
    one, is told at level `debug` alone.
    """
    last: Processor = (
        structlog.processors.JSONRenderer(_json)
        if settings.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            partial(_traced, told=settings.log_level.lower() == "debug"),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Lenient(sys.stderr))),
        cache_logger_on_first_use=False,
    )


@dataclass(frozen=True)
class _Lenient:
    """Where lines go; one that finds no room, on a full disk or in a pipe that nobody reads, ends nobody's work."""

    file: TextIO

    def write(self, text: str) -> None:
        with suppress(OSError):
            self.file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self.file.flush()


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


def log() -> FilteringBoundLogger:
    """Where the front door logs."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
