"""Calling a company's agent in the terminal: typed lines are speech, spoken answers are printed with their times.

The line itself is the one of real calls (handlers/voice/call.py); only the provider is played here. A line that is
typed while something is being spoken cuts it, as a caller's voice would.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import typer

from bot.admins import admin_of
from bot.app import Core, open_core
from bot.call_desk import Desk
from bot.sdks import load_sdks
from bot.settings import Mode, Settings
from bot.terminal import read_line, terminal_channel
from db.records import Channel, ChannelType, CompanyId, DialogueId, dialogue_id_of, new_id
from handlers.voice import frames
from handlers.voice.call import Call, CallRules
from handlers.voice.desk import VoiceOptions, spoken_of
from handlers.voice.line import CHARACTERS_A_SECOND
from orchestration.identity import find_phones
from orchestration.messages import CallEvent

_PAUSE_S = 0.4
"""How long nothing comes any more before the next line of a script is spoken."""
_PATIENCE_S = 60.0


async def call(settings: Settings, company: str, *, phone: str | None) -> None:
    """Hold a call on stdin and stdout until an empty line or the end of input."""
    async with open_core(settings, actor=admin_of(settings)) as core:
        company_id = await core.companies.get_company_id(company)
        channel, key = await terminal_channel(core, company_id, ChannelType.VOICE), f"terminal-{new_id()}"
        async with _answering(core, company_id, dialogue_id_of(channel.id, key)) as desk:
            await _Handset(desk, channel, key, next(iter(find_phones(phone or "")), None)).hold()


@asynccontextmanager
async def _answering(core: Core, company_id: CompanyId, dialogue_id: DialogueId) -> AsyncIterator[Desk]:
    """Build what answers, for this one dialogue; in development with what is lacking."""
    async with AsyncExitStack() as stack:
        if core.settings.mode is Mode.DEVELOPMENT:
            from bot.demo_vendors import stand_in

            for note in await stack.enter_async_context(stand_in(core, company_id)):
                typer.echo(f"note: {note}", err=True)
        await load_sdks()
        from bot.worker_app import open_worker

        app = await stack.enter_async_context(open_worker(core, only=dialogue_id))
        working = asyncio.create_task(app.worker.run())
        try:
            yield app.calls
        finally:
            app.worker.stop()
            await working


class _Handset:
    """The provider's part, for one person at the keyboard."""

    def __init__(self, desk: Desk, channel: Channel, key: str, caller: str | None) -> None:
        self._desk = desk
        self._channel = channel
        self._key = key
        self._caller = caller
        self._incoming: asyncio.Queue[frames.Incoming | None] = asyncio.Queue()
        self._spoken: list[tuple[str, float]] = []
        """What is being spoken, and when each piece begins."""
        self._asked_at = time.monotonic()
        self._answered = asyncio.Event()
        self._over = asyncio.Event()

    async def hold(self) -> None:
        ticket = await self._desk.begin(self._channel, self._key, self._caller)
        record = await self._desk.connect(self._channel, self._key, ticket)
        if record is None:
            raise AssertionError("a ticket that was given a moment ago")
        snapshot = await self._desk.snapshot(self._channel)
        _, texts = spoken_of(self._channel, snapshot)
        typer.echo(f"agent: {texts.text('call-greeting', company=snapshot.company.name)}\n")
        interactive = sys.stdin.isatty()
        # A script is silent while it is read.
        rules = VoiceOptions.of(self._channel).rules if interactive else CallRules(silence=3600, last_words=0)
        line = Call(self._desk.turns(self._channel, record), texts, self._hear, rules=rules)
        running = asyncio.create_task(line.run(self._frames()))
        try:
            await self._talk(interactive=interactive)
        finally:
            await self._incoming.put(None)
            outcome = await running
            await self._desk.finish(self._channel, self._key, outcome, CallEvent.ENDED)
            typer.echo(f"\nthe call is over: {outcome}")

    async def _talk(self, *, interactive: bool) -> None:
        while not self._over.is_set():
            words = await asyncio.to_thread(read_line)
            if not words or self._over.is_set():
                return
            if heard := self._cut():
                typer.echo(f"       (you speak over it; heard: {heard})")
                await self._incoming.put(
                    frames.Interrupt.model_validate({"type": "interrupt", "utteranceUntilInterrupt": heard})
                )
            self._asked_at, self._spoken = time.monotonic(), []
            self._answered.clear()
            if words.startswith("#") and words[1:].isdecimal():
                for digit in f"{words[1:]}#":
                    await self._incoming.put(frames.Dtmf(type="dtmf", digit=digit))
            else:
                await self._incoming.put(frames.Prompt.model_validate({"type": "prompt", "voicePrompt": words}))
            if not interactive:
                await self._wait_for_answer()

    async def _wait_for_answer(self) -> None:
        """Let a script's next line wait until the answer is complete."""
        try:
            await asyncio.wait_for(self._answered.wait(), _PATIENCE_S)
        except TimeoutError:
            typer.echo("(no answer yet)")
        # What else there is to say comes at once; a script needs no more patience than that.
        await asyncio.sleep(_PAUSE_S)
        self._spoken = []

    def _cut(self) -> str:
        """Return what was heard of what is still being spoken; "" where nothing is."""
        now = time.monotonic()
        if not self._spoken or now >= _ends(self._spoken[-1]):
            return ""
        heard = [text[: max(0, int((now - begins) * CHARACTERS_A_SECOND))] for text, begins in self._spoken]
        return " ".join(piece.rsplit(" ", 1)[0].strip() if piece else "" for piece in heard).strip()

    async def _hear(self, frame: frames.Frame) -> None:
        """Print what is spoken, with the seconds since the caller's last word."""
        now = time.monotonic()
        if frame["type"] == "end":
            self._over.set()
            self._answered.set()
            return
        if frame["type"] != "text":
            return
        if words := str(frame["token"]).strip():
            begins = max(now, _ends(self._spoken[-1]) if self._spoken else now)
            self._spoken.append((words, begins))
            typer.echo(f"{now - self._asked_at:+6.2f} s  {words}")
        if frame["last"] and not frame.get("preemptible"):
            self._answered.set()

    async def _frames(self) -> AsyncIterator[frames.Incoming]:
        while (frame := await self._incoming.get()) is not None:
            yield frame


def _ends(piece: tuple[str, float]) -> float:
    return piece[1] + len(piece[0]) / CHARACTERS_A_SECOND
