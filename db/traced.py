"""A span for each statement: OpenTelemetry's own instrumentation (0.66b2) knows no SQLAlchemy 2.1.

The text of a statement has placeholders where values stand, so it tells nothing of a client.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from sqlalchemy import Engine, event

_tracer = trace.get_tracer("ai-admin")
_LONGEST = 1000


def trace_statements() -> None:
    """Make a span of every statement of this process from now on. Called again, it changes nothing."""
    for name, listener in (
        ("before_cursor_execute", _begin), ("after_cursor_execute", _end), ("handle_error", _failed)
    ):  # fmt: skip
        if not event.contains(Engine, name, listener):
            event.listen(Engine, name, listener)


def _begin(connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
    attributes = {"db.system.name": "postgresql", "db.query.text": statement[:_LONGEST]}
    context.span = _tracer.start_span(f"sql {statement.split(None, 1)[0]}", kind=SpanKind.CLIENT, attributes=attributes)


def _end(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
    context.span.end()


def _failed(failure: Any) -> None:
    """End the span. Its error's words stay out: PostgreSQL quotes rows in them."""
    begun = getattr(failure.execution_context, "span", None)
    if begun is not None:
        begun.set_attribute("error.type", type(failure.original_exception).__name__)
        begun.end()
