"""What the salon's staff see and do: the day's journal over HTTP for the demo's page. No part of the vendor's API."""

from __future__ import annotations

import asyncio
from datetime import date, datetime

from aiohttp import web

from sandbox.yclients.salon import Book, Json, Salon

_LONGEST_WAIT_S = 25.0


class View:
    """Mounted under /sandbox/yclients."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def routes(self) -> list[web.RouteDef]:
        base = "/sandbox/yclients"
        return [
            web.get(f"{base}/salons", self._salons),
            web.get(f"{base}/salons/{{salon_id}}/day/{{day}}", self._day),
        ]

    async def _salons(self, _: web.Request) -> web.Response:
        rows = [
            {"id": salon.id, "title": salon.title, "today": self._today(salon).isoformat()}
            for salon in self._book.salons.values()
        ]
        return web.json_response(rows)

    async def _day(self, request: web.Request) -> web.Response:
        """Show one day; with `after`, wait a bounded time until something has changed."""
        after = int(request.query.get("after", "-1"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT_S)
        if wait:
            try:
                async with asyncio.timeout(wait), self._book.changed:
                    await self._book.changed.wait_for(lambda: self._book.seq > after)
            except TimeoutError:
                pass
        try:
            salon = self._book.salons[int(request.match_info["salon_id"])]
            day = date.fromisoformat(request.match_info["day"])
        except (KeyError, ValueError):
            return web.json_response({"error": "no such salon or day"}, status=404)
        return web.json_response({"seq": self._book.seq, **shown_day(salon, day)})

    def _today(self, salon: Salon) -> date:
        return self._book.now().astimezone(salon.zone).date()


def shown_day(salon: Salon, day: date) -> Json:
    """Return a day's columns: each working master with the standing records."""
    opening = salon.hours.get(day.weekday())
    columns = []
    for master in salon.masters:
        if master.fired or not master.bookable:
            continue
        records = [
            {
                "id": record["id"],
                "time": datetime.fromisoformat(record["datetime"]).strftime("%H:%M"),
                "minutes": record["seance_length"] // 60,
                "services": ", ".join(service["title"] for service in record["services"]),
                "client": record["client"]["name"] if record["client"] else "",
                "comment": record["comment"],
            }
            for record in sorted(salon.records.values(), key=lambda one: str(one["datetime"]))
            if record["staff_id"] == master.id and not record["deleted"] and record["date"][:10] == day.isoformat()
        ]
        columns.append({"name": master.name, "specialization": master.specialization, "records": records})
    hours = f"{opening[0]:%H:%M}-{opening[1]:%H:%M}" if opening else None
    return {"title": salon.title, "day": day.isoformat(), "hours": hours, "columns": columns}
