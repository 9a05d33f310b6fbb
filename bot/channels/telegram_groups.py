"""Somebody who was dismissed is put out of the groups in which staff read what clients write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiogram.exceptions import AiogramError

from bot.app import Core
from db.errors import SecretError
from db.records import ChannelType, CompanyId
from handlers.telegram.bots import Bots

_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOut:
    """What became of it in one group. `refused`: why the bot could not; None: they are out, and no link leads back."""

    chat: str
    refused: str | None


async def put_out_of_groups(core: Core, company_id: CompanyId, telegram_user_id: int) -> Sequence[PutOut]:
    """Ban somebody from the company's staff groups (Bot API, banChatMember; the bot needs the right to restrict)."""
    snapshot = await core.companies.get_snapshot(company_id)
    groups = dict.fromkeys(one.staff_chat for one in snapshot.branches if (one.staff_chat or "").startswith("-"))
    channels = [one for one in await core.companies.list_channels(company_id) if one.type is ChannelType.TELEGRAM]
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    done = []
    try:
        for chat in groups:
            refused: str | None = "the company has no Telegram bot"
            for channel in channels:
                try:
                    await bots.get(channel).ban_chat_member(
                        chat_id=int(str(chat)), user_id=telegram_user_id, request_timeout=_TIMEOUT_S
                    )
                    refused = None
                    break
                except (AiogramError, SecretError) as error:
                    # The error's own text may hold the URL, and the URL the token.
                    refused = getattr(error, "message", None) or type(error).__name__
            done.append(PutOut(chat=str(chat), refused=refused))
    finally:
        await bots.close()
    return done
