"""structlog set-up: events, not sentences; JSON in production; what must never be logged is cut out on the way."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from bot.settings import LogFormat

# What a slip could bring into a message: bot tokens, bearer tokens, phone numbers, webhook paths.
_SECRETS = (
    (re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}"), "<bot token>"),
    (re.compile(r"(?i)bearer\s+[^\s,;]+"), "Bearer <cut>"),
    (re.compile(r"/webhook/[^\s/?\"']+"), "/webhook/<cut>"),
    (re.compile(r"(?<!\w)\+?\d[\d\s()-]{9,}\d(?!\w)"), "<phone>"),
)
_NEVER = frozenset({"text", "phone", "token", "prompt", "password", "secret", "authorization"})
# Ids and moments have digits and dashes of their own: they are not searched for phones.
_SAFE = frozenset({"timestamp", "event", "level", "request_id"})


def set_up_logs(format_: LogFormat, *, level: int = logging.INFO) -> None:
    """Send our events and the libraries' log records through one chain to stderr."""
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
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
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


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut secrets and personal data out of an event, by the field's name and by its look."""
    for name, value in event.items():
        if name in _NEVER:
            event[name] = "<cut>"
        elif isinstance(value, str) and name not in _SAFE and not name.endswith("_id"):
            event[name] = redacted(value)
    return event


def redacted(text: str) -> str:
    """Return the text without what looks like a secret or a phone number."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text
