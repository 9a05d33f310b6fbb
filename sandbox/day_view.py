"""What the business's staff see: a day of the journal over HTTP for the demo's page. No part of any vendor's API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime

from aiohttp import web

from sandbox.staff_side import CRMSandbox, shown_day

_LONGEST_WAIT_S = 25.0


class DayView:
    """Mounted under /sandbox/crm."""

    def __init__(self, crm: CRMSandbox, *, clock: Callable[[], datetime] | None = None) -> None:
        self._crm = crm
        self._clock = clock or (lambda: datetime.now(UTC))

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/sandbox/crm", self._business), web.get("/sandbox/crm/day/{day}", self._day)]

    async def _business(self, _: web.Request) -> web.Response:
        business = self._crm.business
        today = self._clock().astimezone(business.zone).date()
        return web.json_response({"title": business.title, "today": today.isoformat()})

    async def _day(self, request: web.Request) -> web.Response:
        """Show one day; with `after`, wait a bounded time until something has changed."""
        after = int(request.query.get("after", "-1"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT_S)
        if wait:
            try:
                async with asyncio.timeout(wait), self._crm.changed:
                    await self._crm.changed.wait_for(lambda: self._crm.seq > after)
            except TimeoutError:
                pass
        try:
            day = date.fromisoformat(request.match_info["day"])
        except ValueError:
            return web.json_response({"error": "no such day"}, status=404)
        return web.json_response({"seq": self._crm.seq, **shown_day(self._crm, day)})
