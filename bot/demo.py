"""The demo: the whole system on embedded servers, the sandbox servers round it, one company, and a page to try it on.

With self test it holds one booking conversation by itself, through the real webhooks, and says by its exit code whether
the appointment stands in the CRM.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr

from bot.app import Core, open_core
from bot.channels import add_telegram, rotate
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.demo_self_test import SelfTest
from bot.logs import set_up_logs
from bot.roles import serve, stop_on_signal
from bot.settings import LogFormat, Mode, Settings, load_settings
from db.records import ChannelType, CompanyId
from sandbox.gemini.server import GeminiSandbox
from sandbox.page import Page
from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.telegram.server import TelegramSandbox
from sandbox.yclients.server import YclientsSandbox

_COMPANY_FILE = Path(__file__).parent.parent / "examples" / "elita.yaml"
_BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-demo-0001"  # noqa: S105 (known to the local sandbox alone)
_CRMS = ("yclients",)
_CHANNELS = ("telegram",)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    port: int
    crm: str
    channel: str
    self_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandboxes:
    """The vendors round the demo; `gemini` None where the real one answers."""

    telegram: TelegramSandbox
    yclients: YclientsSandbox
    gemini: GeminiSandbox | None


async def run_demo(options: DemoOptions) -> int:
    """Run until stopped, or through the self test; return the exit code."""
    for wanted, known, name in ((options.crm, _CRMS, "CRM"), (options.channel, _CHANNELS, "CHANNEL")):
        if wanted not in known:
            typer.echo(f"ai-admin demo: {name}={wanted} is not in this version; known: {', '.join(known)}", err=True)
            return 2
    started = time.monotonic()
    set_up_logs(LogFormat.CONSOLE, level=40)
    async with AsyncExitStack() as stack:
        settings = load_settings()
        sandboxes = await stack.enter_async_context(open_sandboxes(real_model=settings.gemini_api_key is not None))
        settings = demo_settings(settings, sandboxes)
        core = await stack.enter_async_context(open_core(settings, pool_size=20))
        for notice in core.notices:
            typer.echo(f"note: {notice}")
        stopped = asyncio.Event()
        serving = asyncio.create_task(serve(core, {}, stopped=stopped))
        stack.push_async_callback(_finish, serving, stopped)
        await set_up_company(core, sandboxes)
        page = Page(sandboxes.telegram, sandboxes.yclients, bot_id=int(_BOT_TOKEN.split(":")[0]), salon_id=ELITA_ID)
        if not options.self_test:
            return await _stay(page, options.port, sandboxes, started, serving)
        typer.echo(f"started in {time.monotonic() - started:.1f} s; model: {model_name(sandboxes)}\n")
        test = SelfTest(sandboxes.telegram, sandboxes.yclients, bot_id=int(_BOT_TOKEN.split(":")[0]), salon_id=ELITA_ID)
        return 0 if await test.run() else 1


@asynccontextmanager
async def open_sandboxes(*, real_model: bool) -> AsyncIterator[Sandboxes]:
    """Start the local vendors and stop them at the end."""
    telegram, yclients = TelegramSandbox(), YclientsSandbox()
    gemini = None if real_model else GeminiSandbox()
    telegram.add_bot(_BOT_TOKEN, username="elita_demo_bot", first_name="Элита")
    yclients.add_salon(elita_salon())
    try:
        await telegram.start()
        await yclients.start()
        if gemini is not None:
            await gemini.start()
        yield Sandboxes(telegram=telegram, yclients=yclients, gemini=gemini)
    finally:
        if gemini is not None:
            await gemini.stop()
        await yclients.stop()
        await telegram.stop()


def demo_settings(settings: Settings, sandboxes: Sandboxes) -> Settings:
    """Point the settings at the sandbox servers; the gateway takes a free port of this machine."""
    port = _free_port()
    changed: dict[str, object] = {
        "mode": Mode.DEVELOPMENT,
        "host": "127.0.0.1",
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "telegram_api_url": sandboxes.telegram.url,
        "quiet_seconds": min(settings.quiet_seconds, 0.5),
        "telegram_token": None,
        "crm_type": None,
    }
    if sandboxes.gemini is not None:
        changed |= {"gemini_api_url": sandboxes.gemini.url, "gemini_api_key": SecretStr("sandbox")}
    return settings.model_copy(update=changed)


async def set_up_company(core: Core, sandboxes: Sandboxes) -> CompanyId:
    """Make the demo's company, or bring the one of the last run up to date."""
    company = await replace_from_file(core.companies, parse_company_file(_COMPANY_FILE.read_text(encoding="utf-8")))
    yclients = sandboxes.yclients
    await core.companies.set_crm(
        company.id,
        "yclients",
        options={"api_url": yclients.url, "company_id": str(ELITA_ID)},
        secrets={
            "partner_token": SecretStr(yclients.partner_token),
            "user_token": SecretStr(yclients.user_token),
        },
    )
    for channel in await core.companies.list_channels(company.id):
        if channel.type is ChannelType.TELEGRAM:
            await rotate(core, channel)
            return company.id
    await add_telegram(core, company.id, SecretStr(_BOT_TOKEN))
    return company.id


def model_name(sandboxes: Sandboxes) -> str:
    """Say who answers: Gemini, or the script that stands in for it."""
    return "Gemini" if sandboxes.gemini is None else "scripted (a small set of rules, not an AI model)"


async def _stay(page: Page, port: int, sandboxes: Sandboxes, started: float, serving: asyncio.Task[None]) -> int:
    try:
        url = await page.start(port=port, model="gemini" if sandboxes.gemini is None else "scripted")
    except OSError as error:
        typer.echo(f"ai-admin demo: port {port} is not free ({error.strerror}); try `make demo PORT=8086`", err=True)
        return 1
    try:
        typer.echo(f"started in {time.monotonic() - started:.1f} s; model: {model_name(sandboxes)}")
        typer.echo(f"\n  Open {url}\n\nCtrl-C stops it.")
        sys.stdout.flush()
        waiting = asyncio.create_task(stop_on_signal().wait())
        await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return 0 if not serving.done() else 1
    finally:
        await page.stop()


async def _finish(serving: asyncio.Task[None], stopped: asyncio.Event) -> None:
    stopped.set()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
