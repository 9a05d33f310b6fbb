"""The console as an application of its own below /console: its pages, and what stands round them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web

from bot.console.assets import Assets
from bot.console.day import DayPages, Scopes
from bot.console.dialogues import DialoguePages
from bot.console.entrance import OPEN_TO_ALL, Entrance
from bot.console.figures import FiguresPages
from bot.console.gate import Cookies, Gate, Tries, as_pages
from bot.console.screens import set_up
from bot.console.settings import SettingsPages
from bot.settings import Mode

if TYPE_CHECKING:
    from bot.app import Core


def build_console(core: Core, address_of: Callable[[web.Request], str | None]) -> web.Application:
    """Make the console. `address_of`: who sends a request, as far as proxies are trusted to tell."""
    url = core.settings.public_url
    # In production there is always a proxy that speaks https in front: a cookie never crosses the network in the open.
    cookies = Cookies(secure=core.settings.mode is Mode.PRODUCTION or (url or "").startswith("https://"))
    tries = Tries(address_of, core.clock)
    gate = Gate(core.database, core.directory, cookies, tries, core.clock, own_url=url, open_to_all=OPEN_TO_ALL)
    application = web.Application(middlewares=[as_pages, gate.middleware])
    assets, scopes = Assets(), Scopes(core)
    set_up(application, assets)
    pages = (
        Entrance(core, cookies, tries),
        DialoguePages(core),
        DayPages(core, scopes),
        FiguresPages(core),
        SettingsPages(core),
    )
    for one in pages:
        application.add_routes(one.routes())
    application.router.add_get("/static/{name}", assets.serve)
    application.on_cleanup.append(scopes.close)
    return application
