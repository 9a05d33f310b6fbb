"""Notices to a company's staff, through its own Telegram bot: put into the same outbox as the clients' replies."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from db.directory import Directory
from db.engine import Transaction
from db.outbox import Outbox
from db.records import Branch, Channel, ChannelType, Dialogue, dialogue_id_of
from orchestration.messages import Reply
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
    ) -> None:
        """Ring the staff chats of the branches that the notices name. `channel`: where what they are about happened."""
        if not notices:
            return
        bot = await self._bot(channel)
        for notice in notices:
            chat = _staff_chat(branches, notice)
            if chat is None or bot is None:
                log.warning("staff_not_told", reason="no staff chat is set" if chat is None else "no Telegram channel")
                continue
            key = f"{chat}:{chat}:"
            staff = Dialogue(id=dialogue_id_of(bot.id, key), company_id=channel.company_id, channel_id=bot.id, key=key)
            payload = Reply(text=notice.text, buttons=notice.buttons).model_dump(mode="json", exclude_defaults=True)
            await self._outbox.put(tx, staff, [payload], turn_id=turn_id)

    async def _bot(self, channel: Channel) -> Channel | None:
        if channel.type is ChannelType.TELEGRAM:
            return channel
        every = await self._directory.list_channels(channel.company_id)
        return next((one for one in every if one.type is ChannelType.TELEGRAM), None)


def _staff_chat(branches: Sequence[Branch], notice: StaffNotice) -> str | None:
    """Return the chat of the branch that is meant, else of the first branch that has one."""
    chats = {branch.id: branch.staff_chat for branch in branches}
    if notice.branch_id is not None and chats.get(notice.branch_id):
        return chats[notice.branch_id]
    return next((chat for chat in chats.values() if chat), None)
