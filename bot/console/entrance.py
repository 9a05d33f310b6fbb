"""Coming in by a link that is used once, and leaving.

A messenger that looks at the link before its reader does sees a page with a button: only the button uses it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.console.gate import Cookies, Tries
from bot.console.links import HOME
from bot.console.rights import actor_of
from bot.console.screens import first_page, page
from bot.console.visitor import find_visitor, visitor_of
from db.audit import Action
from db.console import ConsoleDoors, Token
from db.errors import NotFound

if TYPE_CHECKING:
    from bot.app import Core

OPEN_TO_ALL = frozenset({HOME, f"{HOME}/enter/{{token}}"})


class Entrance:
    def __init__(self, core: Core, cookies: Cookies, tries: Tries) -> None:
        self._core = core
        self._cookies = cookies
        self._tries = tries

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("", self._home),
            web.get("/enter/{token}", self._ask),
            web.post("/enter/{token}", self._enter),
            web.post("/leave", self._leave),
        ]

    async def _home(self, request: web.Request) -> web.Response:
        """Show whoever is signed in their first page, and others how to sign in."""
        if find_visitor(request) is not None:
            raise web.HTTPSeeOther(first_page(request))
        return page(request, "door.html", title="")

    async def _ask(self, request: web.Request) -> web.Response:
        """Ask whether it is really them; nothing is used up."""
        token = self._token(request)
        if token is None:
            return _opens_nothing(request)
        async with self._core.database.company(token.company_id) as tx:
            member = await ConsoleDoors().find_by_link(tx, token, now=self._core.clock())
        if member is None:
            return _opens_nothing(request)
        try:
            company = (await self._core.directory.get_snapshot(token.company_id)).company
        except NotFound:
            return _opens_nothing(request)
        self._tries.found(request)
        return page(request, "enter.html", title="", company=company.name, name=member.name, url=request.path)

    async def _enter(self, request: web.Request) -> web.Response:
        token = self._token(request)
        if token is None:
            return _opens_nothing(request)
        async with self._core.database.company(token.company_id) as tx:
            entered = await ConsoleDoors().sign_in(tx, token, now=self._core.clock())
            if entered is not None:
                member, session = entered
                subject = f"staff {member.id}"
                await self._core.audit.record(tx, Action.CONSOLE_SIGN_IN, subject=subject, actor=actor_of(member))
        if entered is None:
            return _opens_nothing(request)
        self._tries.found(request)
        response = web.Response(status=303, headers={"Location": HOME})
        self._cookies.give(response, session)
        return response

    async def _leave(self, request: web.Request) -> web.Response:
        visitor = visitor_of(request)
        async with self._core.database.company(visitor.company_id) as tx:
            await ConsoleDoors().sign_out(tx, visitor.session)
        response = web.Response(status=303, headers={"Location": HOME})
        self._cookies.take(response)
        return response

    def _token(self, request: web.Request) -> Token | None:
        """Read the link. Raises TooManyTries for who has tried too many that open nothing."""
        self._tries.begin(request)
        return Token.read(request.match_info["token"])


def _opens_nothing(request: web.Request) -> web.Response:
    """Say the same whatever the cause: used up, over, of somebody dismissed, or never made."""
    return page(request, "fault.html", status=404, title="", told="console-link-unknown")
