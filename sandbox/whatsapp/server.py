"""A local Graph API with the WhatsApp Cloud API's part, as Meta's description (OpenAPI v23.0) and pages have it.

It refuses what Meta refuses; every refusal for a broken rule is kept in `violations`, so that a suite can assert that
our client broke none. Limits by time, faults and who may see what are counted apart: whoever sends cannot always know
of them. What a business sends outside the 24-hour window is accepted and then reported as failed (131047), as Meta
does; `strict_window` refuses it at once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.whatsapp.access import Access
from sandbox.whatsapp.business_app import BusinessApp
from sandbox.whatsapp.errors import RATES, Refused
from sandbox.whatsapp.events import Events
from sandbox.whatsapp.management import Management
from sandbox.whatsapp.media import MediaEdge
from sandbox.whatsapp.messages import Sending
from sandbox.whatsapp.people import People
from sandbox.whatsapp.phones import Phones
from sandbox.whatsapp.rates import Rates
from sandbox.whatsapp.state import Account, App, Json, Number, State
from sandbox.whatsapp.templates import Template
from sandbox.whatsapp.webhooks import Webhooks

_LARGEST_BODY = 120 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[Json]]


@dataclass(slots=True)
class Fault:
    """What the next calls meet: an error code, a wait, or a connection cut after the effect."""

    times: int
    code: int = 131000
    http: int | None = None
    hang_s: float = 0
    cut_after: bool = False


class WhatsAppSandbox:
    """The server. `people` are those who write to the numbers, `business_app` is what the business types on its own
    phone; `events` says how they are brought.

    Limits are off for whoever gives a `pair_burst` and a `number_per_s` that nobody reaches.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        retry_base_s: float = 1.0,
        pair_burst: int = 45,
        pair_rests: bool = False,
        number_per_s: float = 80.0,
        strict_window: bool = False,
    ) -> None:
        self.state = State(clock)
        self.violations: list[Json] = []
        self.refusals: Counter[int] = Counter()
        """How often each error was answered, whatever it was for."""
        self.calls: deque[Json] = deque(maxlen=5000)
        """The bodies of `messages` calls, with the number's id."""
        self.url = ""
        self.webhooks = Webhooks(self.state, retry_base_s=retry_base_s)
        self.events = Events(self.state, self.webhooks)
        self.people = People(self.state, self.events)
        self.business_app = BusinessApp(self.state, self.events)
        self.phones = Phones(self.state, self.people)
        rates = Rates(pair_burst=pair_burst, number_per_s=number_per_s, pair_rests=pair_rests)
        self.sending = Sending(self.state, self.events, rates, strict_window=strict_window)
        self._access = Access(self.state)
        self._faults: dict[str, Fault] = {}
        self._runner: web.AppRunner | None = None

    @property
    def floods(self) -> int:
        """How many messages were refused because too many had come."""
        return sum(count for code, count in self.refusals.items() if code in RATES)

    # ---- what stands at Meta

    def add_app(self, *, secret: str | None = None) -> App:
        """Register a Meta app."""
        app = App(id=str(10_000_000 + len(self.state.apps)), secret=secret or secrets.token_hex(16))
        self.state.apps[app.id] = app
        return app

    def add_account(self, app: App, *, id_: str, name: str = "Бизнес", subscribed: bool = True) -> Account:
        """Register a WhatsApp Business Account; `subscribed`: the app has asked for its webhooks already."""
        account = Account(id=id_, name=name, app=app, subscribed=subscribed)
        self.state.accounts[id_] = account
        return account

    def add_number(
        self,
        app: App,
        *,
        id_: str,
        token: str,
        display: str = "+7 900 000-00-00",
        name: str = "Бизнес",
        account: Account | None = None,
        coexistence: bool = False,
    ) -> Number:
        """Register a business's number; `token` is its access token, `account` an account that has more numbers."""
        account = account or self.add_account(app, id_=f"9{id_}", name=name)
        number = Number(
            id=id_, display=display, verified_name=name, account=account, token=token, coexistence=coexistence
        )
        self.state.numbers[id_] = number
        return number

    def add_template(
        self,
        number: Number,
        name: str,
        language: str,
        body: str,
        *,
        header: str = "",
        footer: str = "",
        buttons: tuple[str, ...] = (),
        category: str = "UTILITY",
        status: str = "APPROVED",
    ) -> Template:
        """Give a template in to the number's account, and let Meta say this of it."""
        template = Template(
            name=name,
            language=language,
            body=body,
            header=header,
            footer=footer,
            buttons=buttons,
            category=category,
            status=status,
        )
        number.account.templates[name, language] = template
        return template

    def fail_next(self, kind: str = "messages", *, times: int = 1, **fault: Any) -> None:
        """Let the next calls fail (see Fault). `kind`: messages, media, number (everything else)."""
        self._faults[kind] = Fault(times, **fault)

    def clear_faults(self) -> None:
        """Forget the failures still waiting."""
        self._faults.clear()

    # ---- the server

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the base address that stands for https://graph.facebook.com."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        self.add_routes(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        await self.webhooks.start()
        return self.url

    async def stop(self) -> None:
        await self.webhooks.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def add_routes(self, application: web.Application) -> None:
        """Mount the Graph API, and the people's side under /sandbox/whatsapp."""
        management = Management(self.state, self._access)
        media = MediaEdge(self.state, self._access, lambda: self.url)
        application.add_routes(self.phones.routes())
        application.router.add_get("/media/{key}", media.download)

        def describe(request: web.Request) -> Awaitable[Json]:
            id_ = request.match_info["id"]
            account = id_ in self.state.accounts
            return management.describe_account(request) if account else management.describe_number(request)

        routes: list[tuple[str, str, str, Handler]] = [
            ("POST", "{id}/messages", "messages", self._messages),
            ("POST", "{id}/media", "media", media.upload),
            ("DELETE", "{id}", "media", media.delete),
            ("GET", "{id}/message_templates", "number", management.list_templates),
            ("GET", "{id}/phone_numbers", "number", management.list_numbers),
            ("GET", "{id}/subscribed_apps", "number", management.list_subscribed),
            ("POST", "{id}/subscribed_apps", "number", management.subscribe),
            ("DELETE", "{id}/subscribed_apps", "number", management.unsubscribe),
            ("GET", "{id}/subscriptions", "number", management.describe_app),
            ("POST", "{id}/subscriptions", "number", management.set_app),
            ("GET", "debug_token", "number", management.debug_token),
            ("GET", "oauth/access_token", "number", management.app_token),
            ("POST", "{id}", "number", management.set_number),
        ]
        for method, path, kind, handle in routes:
            # The Graph API takes a slash at the end as well as none.
            for end in ("", "/"):
                application.router.add_route(method, f"/{{version}}/{path}{end}", self._graph(kind, handle))
        known, node = self._graph("media", media.describe), self._graph("number", describe)

        async def get(request: web.Request) -> web.StreamResponse:
            is_media = any(request.match_info["id"] in one.media for one in self.state.numbers.values())
            return await (known if is_media else node)(request)

        application.router.add_get("/{version}/{id}", get)

    def _graph(self, kind: str, handle: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            fault = self._faults.get(kind)
            try:
                if fault is not None and fault.times > 0:
                    fault.times -= 1
                    if fault.hang_s:
                        await asyncio.sleep(fault.hang_s)
                    elif not fault.cut_after:
                        raise Refused(fault.code, "as was wished", http=fault.http)
                result = await handle(request)
                await self.state.tell()
            except Refused as refused:
                self.refusals[refused.code] += 1
                if refused.broken:
                    self.violations.append({"path": request.path, "why": str(refused)})
                return refused.response()
            if fault is not None and fault.cut_after and request.transport is not None:
                fault.cut_after = fault.times > 0
                request.transport.close()
            return web.json_response(result)

        return call

    async def _messages(self, request: web.Request) -> Json:
        number = self._access.number(request)
        try:
            body = await request.json()
        except ValueError as error:
            raise Refused(100, "Invalid JSON", broken=True) from error
        if not isinstance(body, dict):
            raise Refused(100, "Invalid JSON", broken=True)
        self.calls.append({"number": number.id, "body": body})
        return self.sending.take(number, body)
