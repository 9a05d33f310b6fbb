"""Where a turn's time goes: named stages, each also a span of the trace that the client's update began.

Spans cost next to nothing until bot/tracing.py says where they go. No attribute of one is a client's, and none carries
an error's words: those may quote what a client wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_tracer = trace.get_tracer("ai-admin")
_carrier = TraceContextTextMapPropagator()
_HEADER = "traceparent"


class _Tracing:
    """Whether spans are sent anywhere: making those that go nowhere was 4 % of what a webhook cost."""

    is_on = False


tracing = _Tracing()


class Stages:
    """The times of one turn. A stage that comes again is added up. `now`: seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what the block does, whatever comes of it."""
        began = self._now()
        with span(name):
            try:
                yield
            finally:
                self.add(name, self._now() - began)

    def add(self, name: str, seconds: float) -> None:
        self._spent[name] = self._spent.get(name, 0.0) + seconds

    def in_ms(self) -> Mapping[str, float]:
        """Return the stages in the order in which they first ended, in milliseconds."""
        return {name: round(seconds * 1000, 1) for name, seconds in self._spent.items()}


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, within: str | None = None, **attributes: str
) -> Iterator[Span]:
    """Make the block a span. `within`: the W3C traceparent that it goes on with, from another process."""
    if not tracing.is_on:
        yield INVALID_SPAN
        return
    with _tracer.start_as_current_span(
        name,
        context=_joined(within),
        kind=kind,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        yield begun


def carried() -> str | None:
    """Return the W3C traceparent to keep with what another process goes on with; None where nothing is traced."""
    if not tracing.is_on:
        return None
    headers: dict[str, str] = {}
    _carrier.inject(headers)
    return headers.get(_HEADER)


def _joined(within: str | None) -> Context | None:
    return _carrier.extract({_HEADER: within}) if within else None
