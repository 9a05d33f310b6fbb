"""structlog set-up: events, not sentences; JSON in production; what must never be logged is cut out on the way."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from bot.redaction import redact
from bot.settings import LogFormat
from handlers.log_levels import LEVELS, current_level

log = structlog.get_logger()


class _JsonLines(structlog.processors.JSONRenderer):
    """Renders lines as JSON. `quick`: an access line, which is of level info, may be written past the chain."""

    def __init__(self, stream: TextIO, *, quick: bool) -> None:
        super().__init__(ensure_ascii=False)
        self.quick = quick
        self._stream = stream
        self._encode = json.JSONEncoder(ensure_ascii=False, default=repr).encode
        self._waiting: list[str] = []

    def write(self, event: MutableMapping[str, Any]) -> None:
        """Write an event as the chain would, before the loop's next round ends."""
        event.update(structlog.contextvars.get_contextvars())
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        event.update(level="info", timestamp=moment)
        self._waiting.append(self._encode(redact(None, "info", event)))
        if len(self._waiting) == 1:
            # A group of webhooks is answered within one round of the loop: their lines are one write.
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        lines, self._waiting = self._waiting, []
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()


def write_access_line(**fields: Any) -> None:
    """Write a request's line: what `log.info("request", ...)` writes, at a third of its cost where lines are JSON.

    Every webhook has one, and through the whole chain it was an eighth of what a webhook cost.
    """
    renderer = structlog.get_config()["processors"][-1]
    if isinstance(renderer, _JsonLines) and renderer.quick:
        renderer.write({**fields, "event": "request"})
    else:
        log.info("request", **fields)


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
        _JsonLines(sys.stderr, quick=level <= logging.INFO)
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
