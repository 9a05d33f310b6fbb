"""Round every page of the console: who is signed in, whose form it is, and what a browser may do with the page."""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.console.links import HOME
from bot.console.screens import fault_page
from bot.console.visitor import Visitor, let_in
from db.console import SESSION_LASTS, ConsoleDoors, Token
from db.directory import Directory
from db.engine import Database
from db.errors import DatabaseUnavailable, NotFound, TooManyTries, TooManyUpdates
from db.limits import Budget
from db.strangers import Strangers
from middlewares.http import Handler
from orchestration.ports import Clock

CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
LIVE = "X-Console-Live"
"""What a page asks by itself carries this: nobody need sit before it."""
TRIES = Budget(rate=1, per=timedelta(seconds=6), burst=20)
"""Of an address, with links and cookies that open nothing."""
_SAFE = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # Not "no-referrer", as everywhere else: a form's Origin would be "null" by it, and could not be checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Tries:
    """Counts what an address asks for that is not there."""

    def __init__(self, address_of: Callable[[web.Request], str | None], clock: Clock) -> None:
        self._address_of = address_of
        self._strangers = Strangers(clock, tries=TRIES)

    def begin(self, request: web.Request) -> None:
        """Raise TooManyTries where the address has none left."""
        wait = self._strangers.try_once(self._address_of(request))
        if wait is not None:
            raise TooManyTries(wait)

    def found(self, request: web.Request) -> None:
        """Give the try back: it was there."""
        self._strangers.give_back(self._address_of(request))


class Cookies:
    """The session's cookie. `secure`: the console is reached over https, so that no other site or host may set it."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        # https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
        self.name = "__Host-ai-admin-console" if secure else "ai-admin-console"

    def read(self, request: web.Request) -> Token | None:
        return Token.read(request.cookies.get(self.name, ""))

    def give(self, response: web.StreamResponse, token: Token) -> None:
        response.set_cookie(
            self.name,
            str(token),
            max_age=round(SESSION_LASTS.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def take(self, response: web.StreamResponse) -> None:
        response.del_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="Lax")


class Gate:
    """`own_url`: where the console is reached, where that is known; `open_to_all`: paths that need no session."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        cookies: Cookies,
        tries: Tries,
        clock: Clock,
        *,
        own_url: str | None,
        open_to_all: frozenset[str],
    ) -> None:
        self._database = database
        self._directory = directory
        self._cookies = cookies
        self._tries = tries
        self._clock = clock
        self._own = urlsplit(own_url) if own_url else None
        self._open_to_all = open_to_all

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def passed(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        return passed

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None or resource.canonical.startswith(f"{HOME}/static/"):
            return await handler(request)
        if request.method not in _SAFE:
            self._check_origin(request)
        visitor = await self._find(request)
        if visitor is None and resource.canonical not in self._open_to_all:
            return _to_the_door(request)
        if visitor is not None:
            let_in(request, visitor)
            if request.method not in _SAFE:
                await _check_form(request, visitor)
        return await handler(request)

    async def _find(self, request: web.Request) -> Visitor | None:
        token = self._cookies.read(request)
        if token is None:
            return None
        self._tries.begin(request)
        async with self._database.company(token.company_id) as tx:
            by_hand = LIVE not in request.headers
            member = await ConsoleDoors().find_by_session(tx, token, now=self._clock(), by_hand=by_hand)
        if member is None:
            return None
        self._tries.found(request)
        try:
            snapshot = await self._directory.get_snapshot(token.company_id)
        except NotFound:
            return None
        structlog.contextvars.bind_contextvars(company_id=str(token.company_id))
        return Visitor(member=member, snapshot=snapshot, session=token)

    def _check_origin(self, request: web.Request) -> None:
        """Refuse a form that another site sent. Every browser says whose it is with a POST."""
        origin = urlsplit(request.headers.get("Origin", ""))
        here = (origin.scheme in ("http", "https") and origin.netloc == request.host) or (
            self._own is not None and (origin.scheme, origin.netloc) == (self._own.scheme, self._own.netloc)
        )
        if not here or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise web.HTTPForbidden


async def _check_form(request: web.Request, visitor: Visitor) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        given = str((await request.post()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest(given.encode(errors="replace"), visitor.csrf.encode()):
        raise web.HTTPForbidden


def _to_the_door(request: web.Request) -> web.Response:
    """Send whoever is not signed in (any more) to where it is said how; a part of a page cannot be sent there."""
    if "HX-Request" in request.headers:
        return web.Response(status=401, headers={"HX-Redirect": HOME})
    return web.Response(status=303, headers={"Location": HOME})


@web.middleware
async def as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell failures as pages, and every browser what it may do with an answer."""
    try:
        response = await handler(request)
    except web.HTTPRedirection as error:
        response = web.Response(status=error.status, headers={"Location": error.headers["Location"]})
    except web.HTTPException as error:
        response = fault_page(request, error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except DatabaseUnavailable:
        response = fault_page(request, 503)
    except (TooManyTries, TooManyUpdates) as error:
        response = fault_page(request, 429)
        response.headers["Retry-After"] = str(math.ceil(error.wait.total_seconds()))
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response
