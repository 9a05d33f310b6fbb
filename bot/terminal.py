"""Talking to a company's agent in the terminal, over an API channel of the terminal's own: the same inbox, worker and
outbox as the messengers'. Whichever worker is there first answers; the terminal's own serves this dialogue alone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import typer

from bot.admins import admin_of
from bot.app import Core, open_core
from bot.sdks import load_sdks
from bot.settings import Mode, Settings
from db.records import Accepted, Channel, ChannelType, CompanyId, DialogueId, WorkKind, dialogue_id_of, new_id
from orchestration.identity import find_phones
from orchestration.messages import Message, Reply, Sender

_EXTERNAL_ID = "terminal"
_WAIT = timedelta(seconds=60)


async def converse(settings: Settings, company: str, *, name: str, phone: str | None) -> None:
    """Hold a conversation on stdin and stdout until an empty line or the end of input."""
    async with open_core(settings, actor=admin_of(settings)) as core:
        company_id = await core.companies.get_company_id(company)
        conversation = _Conversation(core, await terminal_channel(core, company_id, ChannelType.API), name, phone)
        async with _answering(core, company_id, conversation.dialogue_id):
            await conversation.hold()


@asynccontextmanager
async def _answering(core: Core, company_id: CompanyId, dialogue_id: DialogueId) -> AsyncIterator[None]:
    """See to it that somebody answers: a worker of ours beside those that may run already."""
    if core.settings.mode is not Mode.DEVELOPMENT:
        if core.settings.has_model:
            async with _worker(core, dialogue_id):
                yield
        else:
            _note("no Gemini key is set here: a worker of the installation answers, if one runs")
            yield
        return
    from bot.demo_vendors import stand_in

    async with stand_in(core, company_id) as notes, _worker(core, dialogue_id):
        for note in notes:
            _note(note)
        yield


@asynccontextmanager
async def _worker(core: Core, dialogue_id: DialogueId) -> AsyncIterator[None]:
    """Run a worker for this dialogue. It comes up while the first line is typed."""
    stopped = asyncio.Event()
    working = asyncio.create_task(_work(core, dialogue_id, stopped))
    try:
        yield
    finally:
        stopped.set()
        await working


async def _work(core: Core, dialogue_id: DialogueId, stopped: asyncio.Event) -> None:
    await load_sdks()
    if stopped.is_set():
        return
    from bot.worker_app import open_worker

    async with open_worker(core, only=dialogue_id) as app:
        working = asyncio.create_task(app.worker.run())
        await stopped.wait()
        app.worker.stop()
        await working


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


async def terminal_channel(core: Core, company_id: CompanyId, type_: ChannelType) -> Channel:
    """Return the company's channel for whoever sits at the terminal."""
    for channel in await core.companies.list_channels(company_id):
        if channel.type is type_ and channel.external_id == _EXTERNAL_ID:
            return channel
    channel, _ = await core.companies.add_channel(
        company_id, type_, external_id=_EXTERNAL_ID, name="terminal", options={}, secrets={}
    )
    return channel


class _Conversation:
    """One client at the keyboard; buttons are numbered, a number presses one."""

    def __init__(self, core: Core, channel: Channel, name: str, phone: str | None) -> None:
        self._core = core
        self._channel = channel
        self._sender = Sender(name=name)
        self._phone = next(iter(find_phones(phone or "")), None)
        self._client = f"terminal-{new_id()}"
        self.dialogue_id = dialogue_id_of(channel.id, self._client)
        self._buttons: list[tuple[str, str]] = []

    async def hold(self) -> None:
        if self._phone:
            await self._send({"proved_phone": self._phone})
        while True:
            line = await asyncio.to_thread(read_line)
            if not line:
                return
            if line.isdigit() and 0 < int(line) <= len(self._buttons):
                label, action = self._buttons[int(line) - 1]
                await self._send({"action": action, "label": label, "press_id": str(new_id())})
            else:
                await self._send({"text": line})

    async def _send(self, fields: Mapping[str, Any]) -> None:
        message_id = str(new_id())
        message = Message(id=message_id, sent_at=self._core.clock(), sender=self._sender, **fields)
        payload = message.model_dump_json(exclude_defaults=True).encode()
        accepted = Accepted(update_key=message_id, dialogue_key=self._client, payload=payload)
        await self._core.intake.accept(self._channel, [accepted], quiet=timedelta(0))
        await self._core.doorbell.of(self.dialogue_id).ring(WorkKind.TURN)
        answer = await self._core.answers.wait(self._channel, message_id, self.dialogue_id, within=_WAIT)
        if answer is None:
            typer.echo("(no answer yet)")
            return
        self._buttons = []
        for payload_out in answer.replies:
            self._print(Reply.model_validate(payload_out))

    def _print(self, reply: Reply) -> None:
        if reply.text:
            typer.echo(f"\n{reply.text}\n")
        for row in reply.buttons:
            for button in row:
                self._buttons.append((button.text, button.action))
                typer.echo(f"  [{len(self._buttons)}] {button.text}")


def read_line() -> str:
    """Read what is typed, with a prompt where somebody types it; "" at the end."""
    if sys.stdin.isatty():
        sys.stdout.write("> ")
        sys.stdout.flush()
    return sys.stdin.readline().strip()
