"""The demo's page: a phone-like chat with the company's bot, and the salon's day in the CRM beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from aiohttp import web

from sandbox.day_view import DayView
from sandbox.staff_side import CRMSandbox
from sandbox.telegram.server import TelegramSandbox
from sandbox.whatsapp.server import WhatsAppSandbox

_HTML = Path(__file__).parent / "page.html"
_NAMES = {"yclients": "YCLIENTS", "bitrix24": "Bitrix24", "1c": "1С", "dikidi": "DIKIDI"}
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageVendors:
    """The servers that the page looks into."""

    telegram: TelegramSandbox
    whatsapp: WhatsAppSandbox
    crm: CRMSandbox


class Page:
    """One address for the page and for what its script asks: the people's side of the messengers, the salon's day.

    `channel`: the messenger that is shown first.
    """

    def __init__(
        self,
        vendors: PageVendors,
        *,
        bot_id: int,
        number_id: str,
        channel: str = "telegram",
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._vendors = vendors
        self._clock = clock
        self._facts: dict[str, int | str] = {
            "bot_id": bot_id,
            "number_id": number_id,
            "crm": _NAMES[vendors.crm.connection().type],
            "channel": channel,
        }
        self._runner: web.AppRunner | None = None

    async def start(self, *, host: str = "127.0.0.1", port: int = 0, model: Literal["gemini", "scripted"]) -> str:
        """Listen; return the page's address. `model` says who answers. Raises OSError where the port is taken."""
        self._facts["model"] = model
        application = web.Application()
        application.add_routes([web.get("/", self._page), *self._vendors.telegram.people.routes()])
        application.add_routes(self._vendors.whatsapp.phones.routes())
        application.add_routes(DayView(self._vendors.crm, clock=self._clock).routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        return f"http://{host}:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        html = _HTML.read_text(encoding="utf-8").replace("/*FACTS*/", json.dumps(self._facts))
        return web.Response(text=html, content_type="text/html", headers=_SECURITY)
