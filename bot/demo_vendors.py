"""The vendors of the demo: for the demo itself, and for a chat in the terminal that finds no demo running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.app import Core
from bot.demo_crms import DEMO_CRMS, connect_crm, find_lost_crm
from bot.lent import Lent, find_lent, lend
from db.records import CompanyId
from sandbox.gemini.server import GeminiSandbox
from sandbox.staff_side import CRMSandbox
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, User
from sandbox.whatsapp.server import WhatsAppSandbox

BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-demo-0001"  # noqa: S105 (known to the local sandbox alone)
STAFF_CHAT = 555_000
"""Where the demo's staff read what they are told."""
NUMBER_ID, NUMBER_TOKEN, APP_SECRET = "106540352242922", "SANDBOX-number", "SANDBOX-app"
PHONE_NUMBER, AUTH_TOKEN = "+74951234567", "SANDBOX-telephony"
PHONE_HOST = "https://voice.demo.example"
"""What the local provider is told that we are reached at: it takes no address without TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandboxes:
    """The vendors round the demo; `gemini` None where the real one answers."""

    telegram: TelegramSandbox
    whatsapp: WhatsAppSandbox
    crm: CRMSandbox
    gemini: GeminiSandbox | None


@asynccontextmanager
async def open_sandboxes(*, real_model: bool, crm: str = "yclients") -> AsyncIterator[Sandboxes]:
    """Start the local vendors and stop them at the end; `crm` is one of DEMO_CRMS."""
    telegram = TelegramSandbox()
    bot = telegram.add_bot(BOT_TOKEN, username="elita_demo_bot", first_name="Элита")
    staff = User(id=STAFF_CHAT, first_name="Администратор")
    bot.chats[STAFF_CHAT] = Chat(user=staff)  # the staff have opened the chat once
    async with _started(DEMO_CRMS[crm]()) as salon, AsyncExitStack() as stack:
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
            yield Sandboxes(telegram=telegram, whatsapp=whatsapp, crm=salon, gemini=gemini)
        finally:
            await whatsapp.stop()
            await telegram.stop()


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
        if (lost := await find_lost_crm(core, company_id)) is not None:
            notes.append(
                "the demo is not running: its CRM is begun anew, without records, and lasts as long as this chat"
            )
            await connect_crm(core, company_id, await stack.enter_async_context(_started(DEMO_CRMS[lost]())))
        yield tuple(notes)


@asynccontextmanager
async def _gemini() -> AsyncIterator[GeminiSandbox]:
    gemini = GeminiSandbox()
    await gemini.start()
    try:
        yield gemini
    finally:
        await gemini.stop()


@asynccontextmanager
async def _started(crm: CRMSandbox) -> AsyncIterator[CRMSandbox]:
    await crm.start()
    try:
        yield crm
    finally:
        await crm.stop()
