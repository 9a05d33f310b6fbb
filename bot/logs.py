"""structlog set-up: events, not sentences; JSON in production; what must never be logged is cut out on the way."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from bot.redaction import redact
from bot.settings import LogFormat
from handlers.log_levels import LEVELS, current_level


def set_up_logs(format_: LogFormat, *, level: int = logging.INFO) -> None:
    """Send our events and the libraries' log records through one chain to stderr.

    `level` is everybody's; a company may have another one for a time (handlers/log_levels.py).
    """

    def drop_quiet(_: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        wanted = current_level.get()
        if LEVELS.get(name, logging.ERROR) < (level if wanted is None else wanted):
            raise structlog.DropEvent
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if format_ is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[drop_quiet, *shared, renderer],
        # All of them are made, and dropped by the chain's first link: a company may want what others do not.
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
