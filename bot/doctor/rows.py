"""What the doctor says of each thing, and how it looks at many side by side: none of them stops another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from crm.errors import CRMError
from db.errors import DBError
from orchestration.errors import OrchestrationError

AT_ONCE = 8
"""Fewer than the connections of a process's pool."""
OUTSIDE = timedelta(seconds=5)
"""How long somebody else's server may take for one check."""
INSIDE = timedelta(seconds=60)
"""How long our own stores may take: some are gone through company by company."""
_TOLD = (DBError, CRMError, OrchestrationError)
"""Errors whose words are made for people; of any other the words may hold an address with its password."""


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`advice`: what to do about it; empty where there is nothing to do."""

    what: str
    status: Status
    detail: str
    advice: str = ""

    def as_record(self) -> dict[str, Any]:
        return {**asdict(self), "status": self.status.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One look at one thing. `advice`: what to do where it fails as a whole."""

    what: str
    look: Callable[[], Awaitable[Sequence[Row]]]
    advice: str
    limit: timedelta = OUTSIDE


async def run_checks(checks: Sequence[Check], *, at_once: int = AT_ONCE) -> list[Row]:
    """Return every check's rows, in the checks' order. A check that fails or takes too long is a row that says so."""
    few = asyncio.Semaphore(at_once)

    async def run(check: Check) -> Sequence[Row]:
        async with few:
            return await _look(check)

    return [row for rows in await asyncio.gather(*(run(check) for check in checks)) for row in rows]


def ok(what: str, detail: str) -> Row:
    return Row(what=what, status=Status.OK, detail=detail)


def warn(what: str, detail: str, advice: str) -> Row:
    return Row(what=what, status=Status.WARNING, detail=detail, advice=advice)


def failed(what: str, detail: str, advice: str) -> Row:
    return Row(what=what, status=Status.FAILED, detail=detail, advice=advice)


async def _look(check: Check) -> Sequence[Row]:
    try:
        return await asyncio.wait_for(check.look(), check.limit.total_seconds())
    except TimeoutError:
        return [failed(check.what, f"no answer within {check.limit.total_seconds():g} s", check.advice)]
    except _TOLD as error:
        return [failed(check.what, str(error), check.advice)]
    except Exception as error:  # (whatever it is, it is this row's alone)
        return [failed(check.what, f"could not be looked at: {type(error).__name__}", check.advice)]
