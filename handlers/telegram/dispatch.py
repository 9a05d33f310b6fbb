"""Telegram's half of the worker: an update through aiogram's dispatcher into Messages. Handlers only translate."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import structlog
from aiogram import Bot, Dispatcher, F, Router
from aiogram.enums import ChatMemberStatus
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command as CommandFilter
from aiogram.filters import CommandObject
from aiogram.fsm.storage.base import BaseStorage
from aiogram.types import BusinessConnection, CallbackQuery, ChatMemberUpdated, User
from aiogram.types import Message as TelegramMessage
from pydantic import ValidationError

from db.records import Channel, ChannelType, Dialogue, OutgoingReply, StoredUpdate
from handlers.base import ASIDE, Permit, SendLimits, TurnCollector, UnreadableUpdate
from handlers.telegram.bots import Bots
from handlers.telegram.business import BusinessConnections
from handlers.telegram.delivery import address_of, deliver
from handlers.telegram.limits import LIMITS, TelegramLimits
from handlers.telegram.media import attachment_of, fetch
from handlers.telegram.staff import build_staff_router
from orchestration.identity import find_phones
from orchestration.messages import Attachment, Choices, Command, Message, Sender
from orchestration.ports import Clock

log = structlog.get_logger()

ALLOWED_UPDATES = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "business_connection",
    "business_message",
    "edited_business_message",
]
"""What Telegram is asked to send (Bot API, setWebhook: allowed_updates)."""
_COMMANDS = [command.value for command in Command]
_LONGEST_QUOTE = 200


def build_router(connections: BusinessConnections) -> Router:
    """Make a router of its own for each dispatcher: aiogram attaches a router only once."""
    router = Router(name="client")
    private = F.chat.type == "private"
    for business in (router.business_message, router.edited_business_message):
        business.filter(connections.may_answer)
    for observer in (router.message, router.business_message):
        observer(private, CommandFilter(*_COMMANDS, ignore_mention=True))(on_command)
        observer(private, F.contact)(on_contact)
        observer(private, F.text)(on_text)
        observer(private)(on_anything_else)
    for observer in (router.edited_message, router.edited_business_message):
        observer(private, F.text)(on_edit)
    router.callback_query(F.data)(on_button)
    router.my_chat_member(private)(on_block)

    @router.business_connection()
    async def on_connection(connection: BusinessConnection, bot: Bot) -> None:
        connections.forget(bot, connection.id)

    return router


async def on_command(message: TelegramMessage, command: CommandObject, collector: TurnCollector) -> None:
    name, argument = Command(command.command.lower()), (command.args or "").strip() or None
    collector.add(_message(message).model_copy(update={"command": name, "argument": argument}))


async def on_text(message: TelegramMessage, collector: TurnCollector) -> None:
    collector.add(_message(message).model_copy(update={"text": message.text or ""}))


async def on_edit(message: TelegramMessage, collector: TurnCollector) -> None:
    """The client has changed a message: the new words count, and confirm nothing."""
    made = _message(message)
    update = {"id": f"edit:{made.id}:{message.edit_date}", "edits": made.id, "text": message.text or ""}
    collector.add(made.model_copy(update=update))


async def on_contact(message: TelegramMessage, collector: TurnCollector) -> None:
    """A shared contact proves a number only where Telegram says that it is the sender's own."""
    contact, sender = message.contact, message.from_user
    own = contact is not None and sender is not None and contact.user_id == sender.id
    phones = find_phones("+" + contact.phone_number.lstrip("+")) if contact and own else ()
    collector.add(
        _message(message).model_copy(update={"proved_phone": phones[0]} if phones else {"foreign_contact": True})
    )


async def on_anything_else(message: TelegramMessage, collector: TurnCollector) -> None:
    attachment = attachment_of(message)
    if attachment is not None:
        collector.add(
            _message(message).model_copy(update={"text": message.caption or "", "attachments": (attachment,)})
        )


async def on_button(query: CallbackQuery, collector: TurnCollector) -> None:
    pressed = query.message
    keyboard = (
        pressed.reply_markup.inline_keyboard if isinstance(pressed, TelegramMessage) and pressed.reply_markup else []
    )
    label = next((button.text for row in keyboard for button in row if button.callback_data == query.data), None)
    collector.add(
        Message(
            id=f"press:{query.id}",
            # A press carries no time of its own; an inaccessible message has none either.
            sent_at=pressed.date if isinstance(pressed, TelegramMessage) else collector.now,
            action=query.data,
            label=label,
            press_id=query.id,
            pressed_message_id=str(pressed.message_id) if pressed else None,
            sender=_sender(query.from_user),
        )
    )


async def on_block(change: ChatMemberUpdated, collector: TurnCollector) -> None:
    """Bot API, Update.my_chat_member: in a private chat it comes only when the bot is blocked or unblocked."""
    collector.reachable = change.new_chat_member.status != ChatMemberStatus.KICKED


class TelegramDispatch:
    """One dispatcher for all bots."""

    type = ChannelType.TELEGRAM
    # What a person looks through on a phone without scrolling far; the Bot API itself takes a hundred.
    choices = Choices(most=24)
    typing_lasts: timedelta | None = timedelta(seconds=5)

    def __init__(self, bots: Bots, dispatcher: Dispatcher, limits: TelegramLimits = LIMITS) -> None:
        self._bots = bots
        self._dispatcher = dispatcher
        self._limits = limits

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        bot = self._bots.get(channel)
        try:
            raw: Any = json.loads(update.payload)
            await self._dispatcher.feed_raw_update(bot, raw, channel=channel, collector=collector)
        except (ValueError, TypeError, ValidationError, RecursionError) as error:
            raise UnreadableUpdate(f"{type(error).__name__}: not a Telegram update") from error
        if update.dialogue_key == ASIDE:
            # Nobody's, though aiogram may have read words in it: there is no chat in which they could be answered.
            collector.messages.clear()

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        return self._limits.of_chat(address_of(reply.dialogue_key)["chat_id"])

    def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        return deliver(self._bots.get(channel), reply, permit)

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        try:
            await self._bots.get(channel).send_chat_action(
                **address_of(dialogue.key), action="typing", request_timeout=3
            )
        except TelegramAPIError as error:
            log.info("typing_not_shown", error=type(error).__name__)

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        return await fetch(self._bots.get(channel), attachment.ref, most_bytes=most_bytes)

    async def close(self) -> None:
        await self._bots.close()


def build_dispatcher(storage: BaseStorage, clock: Clock) -> Dispatcher:
    """Make the dispatcher. No event isolation of aiogram's: the dialogue's lease already serialises."""
    dispatcher = Dispatcher(storage=storage)
    connections = BusinessConnections(clock)
    dispatcher.include_router(build_staff_router(connections))
    dispatcher.include_router(build_router(connections))
    return dispatcher


def _message(message: TelegramMessage) -> Message:
    replied = message.reply_to_message
    quoted = (message.quote.text if message.quote else None) or (replied.text or replied.caption if replied else None)
    return Message(
        id=str(message.message_id),
        sent_at=message.date,
        sender=_sender(message.from_user),
        quoted=quoted[:_LONGEST_QUOTE] if quoted else None,
    )


def _sender(user: User | None) -> Sender:
    if user is None:
        return Sender()
    return Sender(name=user.full_name.strip() or None, language=user.language_code)
