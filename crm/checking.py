"""The steps of a check: each is tried, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from crm.base import CheckLine, CheckStatus
from crm.errors import CRMError

Step = Callable[[], Awaitable[list[CheckLine]]]


async def try_all(steps: Mapping[str, Step], *, hint: Callable[[CRMError], str] = lambda error: "") -> list[CheckLine]:
    """Return the lines of all steps by their subjects. One that fails says so, with a hint, and ends nothing."""
    lines: list[CheckLine] = []
    for subject, step in steps.items():
        try:
            lines += await step()
        except CRMError as error:
            detail = f"{error.code}: {error}{hint(error)}"
            lines.append(CheckLine(subject=subject, status=CheckStatus.FAILED, detail=detail))
    return lines
