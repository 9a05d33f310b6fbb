"""Notices to a company's staff, through its own Telegram bot: put into the same outbox as the clients' replies."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from db.directory import Directory
from db.engine import Transaction
from db.outbox import Outbox
from db.records import Author, Branch, BranchId, Channel, ChannelType, Dialogue, dialogue_id_of
from orchestration.identity import mask_phones
from orchestration.messages import Button, Reply
from orchestration.turns import StaffNotice

log = structlog.get_logger()


class StaffNotices:
    """Puts notices within the caller's transaction; where nobody can be told, the log says so."""

    def __init__(self, directory: Directory, outbox: Outbox) -> None:
        self._directory = directory
        self._outbox = outbox

    async def put(
        self,
        tx: Transaction,
        channel: Channel,
        branches: Sequence[Branch],
        notices: Sequence[StaffNotice],
        *,
        turn_id: UUID | None,
        phone: Button | None = None,
    ) -> None:
        """Ring the staff chats of the branches that the notices name. `channel`: where what they are about happened.

        A group is shown no whole number; `phone` shows the client's to who may see it.
        """
        if not notices:
            return
        bot = await self._bot(channel)
        for notice in notices:
            chat = _staff_chat(branches, notice.branch_id)
            if chat is None or bot is None:
                log.warning("staff_not_told", reason="no staff chat is set" if chat is None else "no Telegram channel")
                continue
            text, buttons = as_shown_in(chat, notice.text), notice.buttons
            if phone is not None and text != notice.text:
                buttons = (*buttons, (phone,))
            payload = Reply(text=text, buttons=buttons).model_dump(mode="json", exclude_defaults=True)
            await self._outbox.put(tx, chat_with(bot, chat), [payload], turn_id=turn_id, author=Author.SYSTEM)

    async def chat_of(
        self, channel: Channel, branches: Sequence[Branch], branch_id: BranchId | None
    ) -> Dialogue | None:
        """Return the staff chat of a branch, else of the first that has one; None where nobody can be told."""
        chat, bot = _staff_chat(branches, branch_id), await self._bot(channel)
        return None if chat is None or bot is None else chat_with(bot, chat)

    async def _bot(self, channel: Channel) -> Channel | None:
        if channel.type is ChannelType.TELEGRAM:
            return channel
        every = await self._directory.list_channels(channel.company_id)
        return next((one for one in every if one.type is ChannelType.TELEGRAM), None)


def as_shown_in(chat: str, text: str) -> str:
    """Return words as a chat is shown them: in a group masters read along, who are shown no whole numbers."""
    return mask_phones(text) if chat.startswith("-") else text


def chat_with(bot: Channel, chat: str) -> Dialogue:
    """Return a bot's chat with staff: a group, or one person; it is no client's, and has no session."""
    key = f"{chat}:{chat}:"
    return Dialogue(id=dialogue_id_of(bot.id, key), company_id=bot.company_id, channel_id=bot.id, key=key)


def _staff_chat(branches: Sequence[Branch], branch_id: BranchId | None) -> str | None:
    """Return the chat of the branch that is meant, else of the first branch that has one."""
    chats = {branch.id: branch.staff_chat for branch in branches}
    if branch_id is not None and chats.get(branch_id):
        return chats[branch_id]
    return next((chat for chat in chats.values() if chat), None)
