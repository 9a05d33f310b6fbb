"""The demo: the whole system on embedded servers, the sandbox servers round it, one company, and a page to try it on.

With self test it holds one booking conversation by itself, through the real webhooks, and says by its exit code whether
the appointment stands in the CRM.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr

from bot.app import Core, open_core
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.demo_call import call_and_book
from bot.demo_crms import DEMO_CRMS, LINK_ONLY, connect_crm
from bot.demo_phones import open_phones
from bot.demo_self_test import SelfTest
from bot.demo_vendors import (
    APP_SECRET,
    BOT_TOKEN,
    NUMBER_ID,
    NUMBER_TOKEN,
    PHONE_HOST,
    STAFF_CHAT,
    Sandboxes,
    open_sandboxes,
)
from bot.gateway import Stop
from bot.lent import Lent, lend
from bot.logs import set_up_logs
from bot.roles import serve, stop_on_signal
from bot.sdks import load_sdks
from bot.settings import LogFormat, Mode, Settings, load_settings
from db.records import ChannelType, CompanyId
from sandbox.page import Page, PageVendors

_COMPANY_FILE = Path(__file__).parent.parent / "examples" / "elita.yaml"
_START_S = 20
_CHANNELS = ("telegram", "whatsapp", "voice")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    port: int
    crm: str
    channel: str
    self_test: bool


async def run_demo(options: DemoOptions) -> int:
    """Run until stopped, or through the self test; return the exit code."""
    for wanted, known, name in ((options.crm, tuple(DEMO_CRMS), "CRM"), (options.channel, _CHANNELS, "CHANNEL")):
        if wanted not in known:
            typer.echo(f"ai-admin demo: {name}={wanted} is not in this version; known: {', '.join(known)}", err=True)
            return 2
    set_up_logs(LogFormat.CONSOLE, level=40)
    loading = asyncio.create_task(load_sdks())
    async with AsyncExitStack() as stack:
        settings = load_settings()
        sandboxes = await stack.enter_async_context(
            open_sandboxes(real_model=settings.gemini_api_key is not None, crm=options.crm)
        )
        settings = demo_settings(settings, sandboxes, patient=not options.self_test)
        core = await stack.enter_async_context(open_core(settings, pool_size=20))
        for notice in core.notices:
            typer.echo(f"note: {notice}")
        await loading
        gemini_url = sandboxes.gemini.url if sandboxes.gemini else None
        stack.enter_context(lend(settings.data_dir, Lent(gemini_url=gemini_url)))
        stopped = Stop()
        serving = asyncio.create_task(serve(core, {}, stopped=stopped))
        stack.push_async_callback(_finish, serving, stopped)
        # Meta asks an address back before it takes it.
        await _until_open(settings.host, settings.port)
        await set_up_company(core, sandboxes)
        if not options.self_test:
            # A call has no place on the page: `ai-admin call` is the telephone.
            shown = "telegram" if options.channel == "voice" else options.channel
            return await _stay(_page(sandboxes, shown), options.port, sandboxes, serving)
        typer.echo(f"{_started()}; model: {model_name(sandboxes)}; channel: {options.channel}; CRM: {options.crm}\n")
        if options.channel == "voice":
            return 0 if await call_and_book(core, sandboxes.crm) else 1
        first, late = open_phones(sandboxes, options.channel)
        test = SelfTest(first=first, late=late, crm=sandboxes.crm, hear_staff=lambda: _hear_staff(sandboxes))
        return 0 if await test.run(by_link=options.crm in LINK_ONLY) else 1


def demo_settings(settings: Settings, sandboxes: Sandboxes, *, patient: bool) -> Settings:
    """Point the settings at the sandbox servers; the gateway takes a free port of this machine.

    `patient`: wait for the rest of what somebody types in several messages, if only for a moment.
    """
    port = _free_port()
    changed: dict[str, object] = {
        "mode": Mode.DEVELOPMENT,
        "host": "127.0.0.1",
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "voice_public_url": PHONE_HOST,
        "telegram_api_url": sandboxes.telegram.url,
        "whatsapp_api_url": sandboxes.whatsapp.url,
        "quiet_seconds": min(settings.quiet_seconds, 0.5) if patient else 0,
        "telegram_token": None,
        "crm_type": None,
    }
    if sandboxes.gemini is not None:
        changed |= {"gemini_api_url": sandboxes.gemini.url, "gemini_api_key": SecretStr("sandbox")}
    return settings.model_copy(update=changed)


async def set_up_company(core: Core, sandboxes: Sandboxes) -> CompanyId:
    """Make the demo's company, or bring the one of the last run up to date."""
    from bot.channels.care import rotate
    from bot.channels.telegram import add_telegram
    from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp

    text = _COMPANY_FILE.read_text(encoding="utf-8").replace("time_zone:", f"staff_chat: {STAFF_CHAT}\ntime_zone:")
    company = await replace_from_file(core.companies, parse_company_file(text))
    await connect_crm(core, company.id, sandboxes.crm)
    known = set()
    for channel in await core.companies.list_channels(company.id):
        if channel.type in (ChannelType.TELEGRAM, ChannelType.WHATSAPP):
            known.add(channel.type)
            await rotate(core, channel)
    if ChannelType.TELEGRAM not in known:
        await add_telegram(core, company.id, SecretStr(BOT_TOKEN))
    if ChannelType.WHATSAPP not in known:
        number = WhatsAppNumber(
            phone_number_id=NUMBER_ID,
            token=SecretStr(NUMBER_TOKEN),
            app_secret=SecretStr(APP_SECRET),
            template={"name": "answer_ready", "language": "ru", "takes_text": True},
        )
        await add_whatsapp(core, company.id, number)
    return company.id


async def _hear_staff(sandboxes: Sandboxes) -> str:
    """Wait until the staff's chat has a message, and return the last one."""
    bot_id = int(BOT_TOKEN.split(":")[0])
    await sandboxes.telegram.people.wait_for(bot_id, STAFF_CHAT, lambda chat: bool(chat.messages))
    return sandboxes.telegram.people.texts_from_bot(bot_id, STAFF_CHAT)[-1]


async def _until_open(host: str, port: int) -> None:
    """Wait until the gateway listens. Raises TimeoutError."""
    async with asyncio.timeout(_START_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                return
            await asyncio.sleep(0.05)


def _page(sandboxes: Sandboxes, channel: str) -> Page:
    vendors = PageVendors(telegram=sandboxes.telegram, whatsapp=sandboxes.whatsapp, crm=sandboxes.crm)
    return Page(vendors, bot_id=int(BOT_TOKEN.split(":")[0]), number_id=NUMBER_ID, channel=channel)


def model_name(sandboxes: Sandboxes) -> str:
    """Say who answers: Gemini, or the script that stands in for it."""
    return "Gemini" if sandboxes.gemini is None else "scripted (a small set of rules, not an AI model)"


async def _stay(page: Page, port: int, sandboxes: Sandboxes, serving: asyncio.Task[None]) -> int:
    try:
        url = await page.start(port=port, model="gemini" if sandboxes.gemini is None else "scripted")
    except OSError as error:
        typer.echo(f"ai-admin demo: port {port} is not free ({error.strerror}); try `make demo PORT=8086`", err=True)
        return 1
    try:
        typer.echo(f"{_started()}; model: {model_name(sandboxes)}")
        ways = ".venv/bin/ai-admin chat elita, or call: .venv/bin/ai-admin call elita --phone +79160001122"
        typer.echo(f"\n  Open {url}\n\nor talk in another terminal: {ways}\nCtrl-C stops it.")
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


def _started() -> str:
    """Say how long it took since the process was started, what was imported before this line included."""
    age = _age()
    return "started" if age is None else f"started in {age:.1f} s"


def _age() -> float | None:
    """Return the seconds since this process was started; None where the system does not tell."""
    try:
        # proc(5): the 22nd field is the start in clock ticks since boot; the second may hold spaces and brackets.
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, IndexError, ValueError):
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
