"""A local Graph API with the WhatsApp Cloud API's part, as Meta's description (OpenAPI v23.0) and pages have it.

It refuses what Meta refuses; every refusal for a broken rule is kept in `violations`, so that a suite can assert that
our client broke none. Limits by time and faults are counted apart: whoever sends cannot always know of them. What a
business sends outside the 24-hour window is accepted and then reported as failed (131047), as Meta does;
`strict_window` refuses it at once. One thing is looser: addresses may be http:// on a loopback address.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from sandbox.whatsapp.errors import Refused, missing
from sandbox.whatsapp.messages import Sending
from sandbox.whatsapp.people import People
from sandbox.whatsapp.rates import Rates
from sandbox.whatsapp.state import App, Json, Number, State, Template
from sandbox.whatsapp.webhooks import Webhooks, verify_callback

_VERSION = re.compile(r"v(\d+)\.0")
_OLDEST_VERSION = 17
_URL_LIFETIME = timedelta(minutes=5)


@dataclass(slots=True)
class Fault:
    """What the next calls meet: an error code, a wait, or a connection cut after the effect."""

    times: int
    code: int = 131000
    http: int | None = None
    hang_s: float = 0
    cut_after: bool = False


class WhatsAppSandbox:
    """The server. `people` are those who write to the numbers."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        retry_base_s: float = 1.0,
        pair_burst: int = 45,
        number_per_s: float = 80.0,
        strict_window: bool = False,
    ) -> None:
        self.state = State(clock)
        self.violations: list[Json] = []
        self.floods = 0
        """How many messages were refused because too many had come."""
        self.calls: deque[Json] = deque(maxlen=5000)
        self.url = ""
        self.webhooks = Webhooks(self.state, retry_base_s=retry_base_s)
        self.people = People(self.state, self.webhooks)
        rates = Rates(pair_burst=pair_burst, number_per_s=number_per_s)
        self._sending = Sending(self.state, self.people, rates, strict_window=strict_window)
        self._faults: dict[str, Fault] = {}
        self._runner: web.AppRunner | None = None

    def add_app(self, *, secret: str | None = None) -> App:
        """Register a Meta app."""
        app = App(id=str(10_000_000 + len(self.state.apps)), secret=secret or secrets.token_hex(16))
        self.state.apps[app.id] = app
        return app

    def add_number(
        self, app: App, *, id_: str, token: str, display: str = "+7 900 000-00-00", name: str = "Бизнес"
    ) -> Number:
        """Register a business's number under an app; `token` is its access token."""
        waba_id = f"9{id_}"
        number = Number(id=id_, display=display, verified_name=name, waba_id=waba_id, app=app, token=token)
        self.state.numbers[id_] = number
        return number

    def add_template(self, number: Number, name: str, language: str, body: str) -> Template:
        """Approve a template."""
        template = Template(name=name, language=language, body=body)
        number.templates[name, language] = template
        return template

    def fail_next(self, kind: str = "messages", *, times: int = 1, **fault: Any) -> None:
        """Let the next calls fail (see Fault). `kind`: messages, media, number."""
        self._faults[kind] = Fault(times, **fault)

    def clear_faults(self) -> None:
        self._faults.clear()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the base address that stands for https://graph.facebook.com."""
        application = web.Application(client_max_size=120 * 1024 * 1024)
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
        application.add_routes(self.people.routes())
        application.router.add_get("/media/{key}", self._download)
        application.router.add_post("/{version}/{id}/messages", self._graph("messages", self._messages))
        application.router.add_get("/{version}/{id}/message_templates", self._graph("number", self._templates))
        application.router.add_post("/{version}/{id}/subscribed_apps", self._graph("number", self._subscribe))
        application.router.add_get("/{version}/{id}", self._graph("media", self._get))
        # The Graph API takes a slash at the end as well as none.
        for path in ("/{version}/{id}", "/{version}/{id}/"):
            application.router.add_post(path, self._graph("number", self._set))

    # ---- one call

    def _graph(
        self, kind: str, handle: Callable[[web.Request, str], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def call(request: web.Request) -> web.StreamResponse:
            fault = self._faults.get(kind)
            try:
                if fault is not None and fault.times > 0:
                    fault.times -= 1
                    if fault.hang_s:
                        await asyncio.sleep(fault.hang_s)
                    elif not fault.cut_after:
                        raise Refused(fault.code, "as was wished", http=fault.http)
                result = await handle(request, _token(request))
                await self.state.tell()
            except Refused as refused:
                self._note(request, refused)
                return refused.response()
            if fault is not None and fault.cut_after and request.transport is not None:
                fault.cut_after = fault.times > 0
                request.transport.close()
            return web.json_response(result)

        return call

    def _note(self, request: web.Request, refused: Refused) -> None:
        if refused.broken:
            self.violations.append({"path": request.path, "why": str(refused)})
        self.floods += refused.code in (130429, 131056, 80007, 4)

    def _number(self, request: web.Request, token: str) -> Number:
        version = _VERSION.fullmatch(request.match_info["version"])
        if version is None or int(version[1]) < _OLDEST_VERSION:
            raise Refused(100, f"Unknown version {request.match_info['version']}", broken=True)
        number = self.state.numbers.get(request.match_info["id"])
        if not any(one.token == token for one in self.state.numbers.values()):
            raise Refused(190, "Invalid OAuth access token - Cannot parse access token")
        if number is None or number.token != token:
            # Graph API words what is foreign and what is not there alike.
            raise Refused(100, f"Object with ID '{request.match_info['id']}' does not exist")
        return number

    async def _messages(self, request: web.Request, token: str) -> Json:
        number = self._number(request, token)
        try:
            body = await request.json()
        except ValueError as error:
            raise Refused(100, "Invalid JSON", broken=True) from error
        if not isinstance(body, dict):
            raise Refused(100, "Invalid JSON", broken=True)
        self.calls.append({"number": number.id, "body": body})
        return self._sending.take(number, body)

    async def _get(self, request: web.Request, token: str) -> Json:
        """Describe a number, or tell where a file can be fetched for the next five minutes."""
        for number in self.state.numbers.values():
            if request.match_info["id"] in number.media:
                if number.token != token:
                    raise Refused(190, "Invalid OAuth access token")
                return self._media_url(number, request.match_info["id"])
        number = self._number(request, token)
        return {
            "id": number.id,
            "display_phone_number": number.display,
            "verified_name": number.verified_name,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
        }

    def _media_url(self, number: Number, media_id: str) -> Json:
        body, mime_type = number.media[media_id]
        key = secrets.token_urlsafe(16)
        number.media_urls[key] = (media_id, self.state.now() + _URL_LIFETIME)
        return {
            "id": media_id,
            "url": f"{self.url}/media/{key}",
            "mime_type": mime_type,
            "sha256": hashlib.sha256(body).hexdigest(),
            "file_size": len(body),
            "messaging_product": "whatsapp",
        }

    async def _download(self, request: web.Request) -> web.Response:
        for number in self.state.numbers.values():
            media_id, until = number.media_urls.get(request.match_info["key"], ("", self.state.now()))
            if media_id and until > self.state.now() and number.token == _token(request):
                body, mime_type = number.media[media_id]
                return web.Response(body=body, headers={"Content-Type": mime_type})
        return web.Response(status=404)

    async def _set(self, request: web.Request, token: str) -> Json:
        """Set a number's own callback, after asking that address the challenge."""
        number = self._number(request, token)
        wanted = (await request.json()).get("webhook_configuration") or {}
        url = wanted.get("override_callback_uri")
        if url is None:
            raise missing("webhook_configuration.override_callback_uri")
        if url and not await verify_callback(url, str(wanted.get("verify_token"))):
            raise Refused(100, "Callback verification failed with the following errors: HTTP Status Code", http=400)
        number.callback_url = url
        return {"success": True}

    async def _subscribe(self, request: web.Request, token: str) -> Json:
        if not any(
            one.waba_id == request.match_info["id"] and one.token == token for one in self.state.numbers.values()
        ):
            raise Refused(100, f"Object with ID '{request.match_info['id']}' does not exist")
        return {"success": True}

    async def _templates(self, request: web.Request, token: str) -> Json:
        numbers = [one for one in self.state.numbers.values() if one.waba_id == request.match_info["id"]]
        if not any(one.token == token for one in numbers):
            raise Refused(100, f"Object with ID '{request.match_info['id']}' does not exist")
        found = [
            {
                "name": one.name,
                "language": one.language,
                "status": "APPROVED",
                "category": "UTILITY",
                "components": [{"type": "BODY", "text": one.body}],
                "id": f"t{index}",
            }
            for number in numbers
            for index, one in enumerate(number.templates.values())
        ]
        return {"data": found, "paging": {"cursors": {"before": "b", "after": "a"}}}


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""
