"""Log lines, to the standard error output: for people, or one JSON object a line."""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from selfsame.settings import LogFormat, Settings


def configure_logs(settings: Settings) -> None:
    """Set how this process logs; may run again. Personal data belongs into no line."""
    last: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if settings.log_format is LogFormat.JSON else _as_it_is,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _as_it_is(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event


def log() -> FilteringBoundLogger:
    """Where the front door logs."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
