"""A local WhatsApp with one number, spoken to by the real SDK and by plain HTTP, and a door for its webhooks."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field

import httpx
import pytest
from aiohttp import web
from pywa_async import WhatsApp

from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import Person

NUMBER = "106540352242922"
TOKEN = "token-of-the-number"
SECRET = "secret-of-the-app"
VERIFY = "word-that-meta-is-told"


@pytest.fixture
def person():
    return Person(name="Елена", wa_id="79160000001", user_id="RU.1502001")


@pytest.fixture
def hidden():
    """Somebody who shows a user name instead of a number."""
    return Person(name="Инна", wa_id=None, user_id="RU.1502002", username="inna.k")


@pytest.fixture
async def open_whatsapp(clock):
    """Open a sandbox with a number; its limits are as the test wants them."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_(**options):
            sandbox = WhatsAppSandbox(**{"clock": clock, "retry_base_s": 0.01, **options})
            sandbox.add_number(sandbox.add_app(secret=SECRET), id_=NUMBER, token=TOKEN, display="+7 495 000-00-01")
            await sandbox.start()
            stack.push_async_callback(sandbox.stop)
            return sandbox

        yield open_


@pytest.fixture
async def whatsapp(open_whatsapp):
    """The limits by time are off: they have tests of their own."""
    return await open_whatsapp(pair_burst=10_000, number_per_s=10_000)


@pytest.fixture
def number(whatsapp):
    return whatsapp.state.numbers[NUMBER]


class Graph:
    """Plain HTTP to the Graph API."""

    def __init__(self, sandbox, http):
        self.sandbox, self.http = sandbox, http

    async def call(self, method, path, *, token=TOKEN, version="v23.0", **request):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.http.request(method, f"{self.sandbox.url}/{version}/{path}", headers=headers, **request)

    async def send(self, content, **options):
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "79160000001", **content}
        return await self.call("POST", f"{NUMBER}/messages", json=body, **options)

    async def code(self, content, **options):
        """Send, and return the error's code; 0: taken."""
        return self.code_of(await self.send(content, **options))

    @staticmethod
    def code_of(response):
        """Return the code of an error, which has to have Meta's shape; 0 for none."""
        body = response.json()
        if response.status_code == 200:
            assert "error" not in body
            return 0
        error = body["error"]
        assert {"message", "type", "code", "fbtrace_id"} <= set(error)
        if error["code"] >= 100_000:
            assert error["error_data"]["messaging_product"] == "whatsapp"
            assert error["error_data"]["details"]
        return error["code"]


@pytest.fixture
async def http():
    async with httpx.AsyncClient(timeout=20) as session:
        yield session


@pytest.fixture
def graph(whatsapp, http):
    return Graph(whatsapp, http)


class Rerouted(httpx.AsyncHTTPTransport):
    """Brings what the SDK sends to graph.facebook.com to the sandbox."""

    def __init__(self, url):
        super().__init__()
        self.url = httpx.URL(url)

    async def handle_async_request(self, request):
        request.url = request.url.copy_with(scheme=self.url.scheme, host=self.url.host, port=self.url.port)
        return await super().handle_async_request(request)


@pytest.fixture
async def sdk(whatsapp):
    """The SDK as our program uses it."""
    async with httpx.AsyncClient(transport=Rerouted(whatsapp.url)) as session:
        yield WhatsApp(
            phone_id=NUMBER,
            token=TOKEN,
            server=None,
            session=session,
            app_secret=SECRET,
            verify_token=VERIFY,
            waba_id=f"9{NUMBER}",
            api_version="23.0",
        )


@dataclass
class Door:
    """Where webhooks come in. `answers`: the status of the next ones, 200 after that."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    came: list[tuple[bytes, str]] = field(default_factory=list)
    """Raw body and signature of each that came, also of those that were not taken."""

    @property
    def values(self):
        """What each change of each webhook carried."""
        bodies = [json.loads(body) for body, _ in self.came]
        return [change["value"] for body in bodies for entry in body["entry"] for change in entry["changes"]]

    @property
    def messages(self):
        return [one for value in self.values for one in value.get("messages", [])]

    @property
    def statuses(self):
        return [one for value in self.values for one in value.get("statuses", [])]


@pytest.fixture
async def open_door(whatsapp):
    """Open a door that answers Meta's challenge with the word that it expects."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_(word=VERIFY):
            door = Door()

            async def take(request):
                door.came.append((await request.read(), request.headers.get("X-Hub-Signature-256", "")))
                return web.Response(status=door.answers.pop(0) if door.answers else 200)

            async def ask(request):
                if request.query["hub.mode"] != "subscribe" or request.query["hub.verify_token"] != word:
                    return web.Response(status=403)
                return web.Response(text=request.query["hub.challenge"])

            application = web.Application()
            application.router.add_post("/in", take)
            application.router.add_get("/in", ask)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
            return door

        yield open_


@pytest.fixture
async def door(open_door, number):
    """The app's own door."""
    door = await open_door()
    number.app.callback_url = door.url
    return door


@pytest.fixture
def brought(whatsapp):
    """Wait until nothing is on its way to a door any more."""

    async def wait():
        async with whatsapp.state.changed:
            await whatsapp.state.changed.wait_for(lambda: not whatsapp.webhooks.waiting)

    return wait
