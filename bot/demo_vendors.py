"""The vendors of the demo: for the demo itself, and for a chat in the terminal that finds no demo running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.app import Core
from bot.lent import Lent, find_lent, lend
from db.records import CompanyId
from sandbox.gemini.server import GeminiSandbox
from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.telegram.server import TelegramSandbox
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.yclients.server import YclientsSandbox

BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-demo-0001"  # noqa: S105 (known to the local sandbox alone)
NUMBER_ID, NUMBER_TOKEN, APP_SECRET = "106540352242922", "SANDBOX-number", "SANDBOX-app"
_PROBE_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandboxes:
    """The vendors round the demo; `gemini` None where the real one answers."""

    telegram: TelegramSandbox
    whatsapp: WhatsAppSandbox
    yclients: YclientsSandbox
    gemini: GeminiSandbox | None


@asynccontextmanager
async def open_sandboxes(*, real_model: bool) -> AsyncIterator[Sandboxes]:
    """Start the local vendors and stop them at the end."""
    telegram = TelegramSandbox()
    telegram.add_bot(BOT_TOKEN, username="elita_demo_bot", first_name="Элита")
    async with _yclients() as yclients, AsyncExitStack() as stack:
        gemini = None if real_model else await stack.enter_async_context(_gemini())
        whatsapp = WhatsAppSandbox()
        number = whatsapp.add_number(
            whatsapp.add_app(secret=APP_SECRET),
            id_=NUMBER_ID,
            token=NUMBER_TOKEN,
            display="+7 495 123-45-67",
            name="Элита",
        )
        whatsapp.add_template(number, "answer_ready", "ru", "Салон «Элита»: {{1}}")
        await telegram.start()
        await whatsapp.start()
        try:
            yield Sandboxes(telegram=telegram, whatsapp=whatsapp, yclients=yclients, gemini=gemini)
        finally:
            await whatsapp.stop()
            await telegram.stop()


async def connect_crm(core: Core, company_id: CompanyId, yclients: YclientsSandbox) -> None:
    """Point the demo's company at this server: every start has another port."""
    await core.companies.set_crm(
        company_id,
        "yclients",
        options={"api_url": yclients.url, "company_id": str(ELITA_ID)},
        secrets={
            "partner_token": SecretStr(yclients.partner_token),
            "user_token": SecretStr(yclients.user_token),
        },
    )
    core.directory.forget(company_id)


@asynccontextmanager
async def stand_in(core: Core, company_id: CompanyId) -> AsyncIterator[tuple[str, ...]]:
    """Start what a conversation in development lacks, lend it to the folder's other workers, and yield what the person
    has to know of it."""
    notes: list[str] = []
    async with AsyncExitStack() as stack:
        lent = find_lent(core.settings.data_dir)
        if not core.settings.has_model:
            notes.append("no Gemini key is set: a script answers (a small set of rules, not an AI model)")
            if lent is None or lent.gemini_url is None:
                gemini = await stack.enter_async_context(_gemini())
                stack.enter_context(lend(core.settings.data_dir, Lent(gemini_url=gemini.url)))
        if await _has_lost_its_crm(core, company_id):
            notes.append(
                "the demo is not running: its CRM is begun anew, without records, and lasts as long as this chat"
            )
            await connect_crm(core, company_id, await stack.enter_async_context(_yclients()))
        yield tuple(notes)


async def _has_lost_its_crm(core: Core, company_id: CompanyId) -> bool:
    """Say whether this is the demo's company, whose CRM was a server of a process that is gone."""
    crm = (await core.companies.get_snapshot(company_id)).crm
    if crm is None or crm.type != "yclients":
        return False
    token = core.open_crm_secrets(company_id, crm).get("partner_token")
    url = urlsplit(crm.options.get("api_url", ""))
    if token is None or token.get_secret_value() != YclientsSandbox().partner_token or url.hostname is None:
        return False
    try:
        async with asyncio.timeout(_PROBE_S):
            _, writer = await asyncio.open_connection(url.hostname, url.port)
    except OSError:
        return True
    writer.close()
    return False


@asynccontextmanager
async def _gemini() -> AsyncIterator[GeminiSandbox]:
    gemini = GeminiSandbox()
    await gemini.start()
    try:
        yield gemini
    finally:
        await gemini.stop()


@asynccontextmanager
async def _yclients() -> AsyncIterator[YclientsSandbox]:
    yclients = YclientsSandbox()
    yclients.add_salon(elita_salon())
    await yclients.start()
    try:
        yield yclients
    finally:
        await yclients.stop()
