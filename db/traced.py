"""A span for each statement: OpenTelemetry's own instrumentation (0.66b2) knows no SQLAlchemy 2.1.

The text of a statement has placeholders where values stand, so it tells nothing of a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from sqlalchemy import Engine, event

_tracer = trace.get_tracer("ai-admin")
_LONGEST = 1000
_NOTHING = nullcontext()


class _Traced:
    is_on = False


_traced = _Traced()


def trace_statements() -> None:
    """Make a span of every statement of this process from now on. Called again, it changes nothing."""
    for name, listener in (
        ("before_cursor_execute", _begin), ("after_cursor_execute", _end), ("handle_error", _failed)
    ):  # fmt: skip
        if not event.contains(Engine, name, listener):
            event.listen(Engine, name, listener)
    _traced.is_on = True


def statement_span(statement: str) -> AbstractContextManager[None]:
    """Make a span of a statement that the driver runs without SQLAlchemy; nothing where nothing is traced."""
    return _span(statement) if _traced.is_on else _NOTHING


@contextmanager
def _span(statement: str) -> Iterator[None]:
    begun = _open(statement)
    try:
        yield
    except BaseException as error:
        begun.set_attribute("error.type", type(error).__name__)
        raise
    finally:
        begun.end()


def _open(statement: str) -> trace.Span:
    attributes = {"db.system.name": "postgresql", "db.query.text": statement[:_LONGEST]}
    return _tracer.start_span(f"sql {statement.split(None, 1)[0]}", kind=SpanKind.CLIENT, attributes=attributes)


def _begin(connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
    context.span = _open(statement)


def _end(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
    context.span.end()


def _failed(failure: Any) -> None:
    """End the span. Its error's words stay out: PostgreSQL quotes rows in them."""
    begun = getattr(failure.execution_context, "span", None)
    if begun is not None:
        begun.set_attribute("error.type", type(failure.original_exception).__name__)
        begun.end()
