"""The vendor's webhooks: sent once, without a signature, retried by nobody; any answer counts as delivered (apib)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from sandbox.yclients.salon import Json

_PATIENCE = aiohttp.ClientTimeout(total=5)


class Hooks:
    """`settings` by branch, as `hooks_settings` holds them; `lose` drops the next ones on the way."""

    def __init__(self) -> None:
        self.settings: dict[int, Json] = {}
        self.sent: list[Json] = []
        self.lose = 0
        self._under_way: set[asyncio.Task[None]] = set()

    def tell(self, company_id: int, record: Mapping[str, Any], status: str) -> None:
        """Send one event to the branch's addresses, if it wants events of records."""
        chosen = self.settings.get(company_id, {})
        if not chosen.get("active") or not chosen.get("record"):
            return
        # `data` may hold only what has changed.
        data = {"id": record["id"], "datetime": record["datetime"], "deleted": record["deleted"]}
        event = {"company_id": company_id, "resource": "record", "resource_id": record["id"], "status": status}
        if self.lose > 0:
            self.lose -= 1
            return
        for url in chosen.get("urls", []):
            task = asyncio.get_running_loop().create_task(self._send(str(url), {**event, "data": data}))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def settle(self) -> None:
        """Wait until what is under way has arrived."""
        if self._under_way:
            await asyncio.gather(*self._under_way)

    async def _send(self, url: str, event: Json) -> None:
        try:
            async with aiohttp.ClientSession(timeout=_PATIENCE) as session, session.post(url, json=event) as response:
                self.sent.append({**event, "answer": response.status})
        except (aiohttp.ClientError, TimeoutError):
            self.sent.append({**event, "answer": 0})
