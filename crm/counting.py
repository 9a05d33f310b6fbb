"""What is counted of an operation asked of a CRM: the figures of all, those of its company, the trace and the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram

from crm.errors import CRMAuthFailed, CRMError, CRMOutcomeUnknown, CRMUnavailable

log = structlog.get_logger()
_tracer = trace.get_tracer("ai-admin")

CALLS = Counter(
    "ai_admin_crm_calls_total", "Operations asked of CRMs, retries included in one.", ["crm", "operation", "outcome"]
)
SECONDS = Histogram(
    "ai_admin_crm_call_seconds",
    "How long one operation of a CRM took, waiting and retries included.",
    ["crm", "operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)
NOT_WORKING = (CRMUnavailable, CRMOutcomeUnknown, CRMAuthFailed)
"""The CRM did not do its work, whatever was asked of it."""

Counted = Callable[[str, bool], None]
"""Is told of each operation whose company's it was, and whether the CRM failed."""


def count_for_nobody(company: str, failed: bool) -> None:
    """A Counted for what is asked outside of a worker."""


@dataclass(slots=True)
class _Outcome:
    code: str = "cancelled"
    failed: bool = False


@contextmanager
def counting(crm: str, operation: str, *, company: str, counted: Counted) -> Iterator[None]:
    """Count what the block does as one operation, by the CRMError that leaves it or none.

    The span is our own: what instruments HTTP clients writes addresses into it, and those carry phones and tokens.
    """
    started, outcome = perf_counter(), _Outcome()
    with _tracer.start_as_current_span(
        "crm",
        kind=SpanKind.CLIENT,
        attributes={"crm": crm, "operation": operation},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
            outcome.code = "ok"
        except CRMError as error:
            outcome = _Outcome(error.code, isinstance(error, NOT_WORKING))
            raise
        finally:
            took = perf_counter() - started
            span.set_attribute("outcome", outcome.code)
            CALLS.labels(crm, operation, outcome.code).inc()
            SECONDS.labels(crm, operation).observe(took)
            counted(company, outcome.failed)
            log.debug("crm_called", crm=crm, operation=operation, outcome=outcome.code, took_ms=round(took * 1000, 1))
