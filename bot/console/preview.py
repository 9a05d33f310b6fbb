"""Asking the agent without a client: over a channel of its own, through the same inbox and worker as a client's words.

The worker goes by the draft that is kept beside the dialogue, and carries nothing out (bot/preview.py). The gateway
needs no model for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bot.console.visitor import Visitor
from db.console import TriedSettings
from db.errors import Conflict
from db.records import PREVIEW, Accepted, Channel, ChannelType, CompanyId, WorkKind, dialogue_id_of, new_id
from orchestration.messages import Message, Reply, Sender, storable

if TYPE_CHECKING:
    from bot.app import Core

LONGEST_QUESTION = 2000
WAIT = timedelta(seconds=30)
_EXTERNAL_ID = "console-preview"


class Preview:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def ask(
        self, visitor: Visitor, talk: UUID, question: str, *, action: str | None, draft: Mapping[str, str]
    ) -> Sequence[Mapping[str, Any]] | None:
        """Ask in a conversation of the visitor's own; return the replies, None where none came in time.

        `action`: a button was pressed, whose words are the question. `draft`: settings that are not saved.
        """
        core, channel = self._core, await self._channel(visitor.company_id)
        # Of the member's own id: nobody goes on with a conversation of somebody else's.
        key = f"console-{visitor.member.id.hex}-{talk.hex}"
        dialogue_id, message_id = dialogue_id_of(channel.id, key), str(new_id())
        async with core.database.company(visitor.company_id) as tx:
            await TriedSettings().put(tx, dialogue_id, draft, now=core.clock())
        pressed = {"action": action, "label": question, "press_id": message_id}
        message = Message(
            id=message_id,
            sent_at=core.clock(),
            sender=Sender(name=visitor.member.name),
            **(pressed if action else {"text": storable(question)}),
        )
        payload = message.model_dump_json(exclude_defaults=True).encode()
        accepted = Accepted(update_key=message_id, dialogue_key=key, payload=payload)
        await core.intake.accept(channel, [accepted], quiet=timedelta(0))
        await core.doorbell.of(dialogue_id).ring(WorkKind.TURN)
        answer = await core.answers.wait(channel, message_id, dialogue_id, within=WAIT)
        return None if answer is None else [_drawn(Reply.model_validate(one)) for one in answer.replies]

    async def _channel(self, company_id: CompanyId) -> Channel:
        """Return the company's channel for this, made at the first time."""
        found = await self._find(company_id)
        if found is not None:
            return found
        try:
            channel, _ = await self._core.companies.add_channel(
                company_id,
                ChannelType.API,
                external_id=_EXTERNAL_ID,
                name="console preview",
                options={PREVIEW: True},
                secrets={},
            )
        except Conflict:
            made = await self._find(company_id)
            if made is None:
                raise
            return made
        self._core.directory.forget(company_id)
        return channel

    async def _find(self, company_id: CompanyId) -> Channel | None:
        channels = await self._core.companies.list_channels(company_id)
        return next((one for one in channels if one.is_preview), None)


def _drawn(reply: Reply) -> Mapping[str, Any]:
    return {
        "text": reply.text,
        "buttons": [{"text": one.text, "action": one.action} for one in reply.choices],
        "asks_contact": reply.ask_contact or "",
    }
