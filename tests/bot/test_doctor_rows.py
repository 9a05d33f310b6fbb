"""The frame of `ai-admin doctor`: many looks side by side, none of which stops another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.doctor.rows import Check, ok, run_checks
from crm.errors import CRMUnavailable


async def test_a_check_that_fails_or_hangs_is_a_row_and_stops_no_other():
    async def hang():
        await asyncio.Event().wait()

    async def fail():
        raise RuntimeError("postgresql://user:canary-word@host")

    async def refuse():
        raise CRMUnavailable("the CRM does not answer")

    async def well():
        return [ok("well", "yes")]

    looks = {"hang": hang, "fail": fail, "refuse": refuse, "well": well}
    checks = [
        Check(what=what, look=look, advice="do", limit=timedelta(milliseconds=20)) for what, look in looks.items()
    ]

    rows = await run_checks(checks, at_once=2)

    assert [(row.what, row.status.value, row.detail) for row in rows] == [
        ("hang", "failed", "no answer within 0.02 s"),
        ("fail", "failed", "could not be looked at: RuntimeError"),
        ("refuse", "failed", "the CRM does not answer"),
        ("well", "ok", "yes"),
    ]


async def test_checks_run_side_by_side_but_only_so_many_at_once():
    running, most = 0, 0
    gate = asyncio.Event()

    async def look():
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            gate.set()
        await gate.wait()
        running -= 1
        return [ok("x", "y")]

    rows = await run_checks([Check(what="x", look=look, advice="") for _ in range(9)], at_once=3)

    assert (len(rows), most) == (9, 3)
