"""When a safe call is made again, and after which pause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState
from tenacity.wait import wait_exponential_jitter, wait_random

from crm.errors import CRMRateLimited, CRMUnavailable

ATTEMPTS = 4
LONGEST_PAUSE = timedelta(seconds=8)
"""A Retry-After beyond this is the caller's to keep, not ours to sit out."""


class Again(Exception):
    """A safe call failed in a way that may pass; `error` is what to raise when it does not."""

    def __init__(self, error: CRMUnavailable | CRMRateLimited) -> None:
        super().__init__(error.code)
        self.error = error


_backoff = wait_exponential_jitter(initial=1, max=LONGEST_PAUSE.total_seconds(), jitter=1)
_jitter = wait_random(0, 0.5)


def pause_before(state: RetryCallState) -> float:
    """Return the seconds to wait: what the CRM asked for, else 1, 2, 4, each with jitter."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.error if isinstance(failure, Again) else None
    if isinstance(asked, CRMRateLimited) and asked.retry_after is not None:
        return asked.retry_after.total_seconds() + _jitter(state)
    return _backoff(state)


def retry_after_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long the CRM asks to wait (seconds or an HTTP date, RFC 9110 10.2.3); None where it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 86_400))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), timedelta(days=1))
