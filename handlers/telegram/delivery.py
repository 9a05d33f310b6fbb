"""A Reply out to Telegram: text in pieces it takes, buttons as inline keyboards, the contact as a reply keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypedDict

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from db.records import OutgoingReply
from handlers.base import (
    ChannelBroken,
    ClientUnreachable,
    DeliveryDelayed,
    DeliveryError,
    Flooded,
    OutcomeUnknown,
    Permit,
    ReplyRefused,
)
from handlers.telegram.limits import is_group
from orchestration.messages import Reply

log = structlog.get_logger()

# Bot API, sendMessage: 1-4096 characters after entities parsing, counted in UTF-16 code units.
TEXT_LIMIT = 4096

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None


class Address(TypedDict, total=False):
    chat_id: int
    business_connection_id: str


def address_of(dialogue_key: str) -> Address:
    """Read chat and business connection back out of the dialogue's key."""
    chat_id, _, rest = dialogue_key.partition(":")
    connection = rest.partition(":")[2]
    address: Address = {"chat_id": int(chat_id)}
    if connection:
        address["business_connection_id"] = connection
    return address


async def deliver(bot: Bot, outgoing: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
    """Send what of the reply has not been taken yet, piece by piece. Raises DeliveryError."""
    reply = Reply.model_validate(outgoing.payload)
    address = address_of(outgoing.dialogue_key)
    pieces = split_text(reply.text)
    if outgoing.sent_parts == 0 and not pieces:
        await _acknowledge(bot, address, reply)
    for index in range(outgoing.sent_parts, len(pieces)):
        await permit()
        if index == 0:
            await _acknowledge(bot, address, reply)
        markup = markup_of(reply) if index == len(pieces) - 1 else None
        try:
            # No parse mode: a model's stray asterisk must never make Telegram refuse the message.
            sent = await bot.send_message(**address, text=pieces[index], reply_markup=markup)
        except AiogramError as error:
            raise _of_a_piece(error, address) from error
        yield str(sent.message_id)


async def _acknowledge(bot: Bot, address: Address, reply: Reply) -> None:
    """End the button's spinner and use the buttons up; both are a courtesy and never hold up the words."""
    try:
        if reply.acknowledges:
            await bot.answer_callback_query(reply.acknowledges)
        if reply.closes_buttons_of:
            await bot.edit_message_reply_markup(**address, message_id=int(reply.closes_buttons_of), reply_markup=None)
    except TelegramBadRequest as error:
        # The press is too old, or the buttons are gone already: the words still go out.
        log.info("press_not_acknowledged", error=error.message)
    except AiogramError as error:
        raise _translated(error, address) from error


def markup_of(reply: Reply) -> Markup:
    """Draw the reply's choices."""
    if reply.ask_contact:
        # Bot API, KeyboardButton: request_contact works in private chats only.
        button = KeyboardButton(text=reply.ask_contact, request_contact=True)
        return ReplyKeyboardMarkup(keyboard=[[button]], resize_keyboard=True, one_time_keyboard=True)
    if reply.buttons:
        rows = [[InlineKeyboardButton(text=b.text, callback_data=b.action) for b in row] for row in reply.buttons]
        return InlineKeyboardMarkup(inline_keyboard=rows)
    return ReplyKeyboardRemove() if reply.drop_keyboard else None


def split_text(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """Cut a text into pieces of at most `limit` UTF-16 units, at paragraphs, lines or spaces where it can be."""
    pieces = []
    rest = text.strip()
    while rest:
        head = _fitting(rest, limit)
        if len(head) < len(rest):
            cut = max(head.rfind("\n\n"), head.rfind("\n"), head.rfind(" "))
            head = head[:cut] if cut > 0 else head
        pieces.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return pieces


def _fitting(text: str, limit: int) -> str:
    """Return the longest head of at most `limit` UTF-16 units; a character outside the BMP counts two, whole."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > limit:
            return text[:index]
    return text


def _of_a_piece(error: AiogramError, address: Address) -> DeliveryError:
    """Tell what Telegram cannot have taken from what it may have: a request that was written and has no answer."""
    match error:
        case TelegramNetworkError() if isinstance(error.__cause__, ClientConnectorError | ConnectionTimeoutError):
            # Without a connection nothing was written.
            return DeliveryDelayed(type(error).__name__)
        case TelegramNetworkError() | ClientDecodeError():
            return OutcomeUnknown(type(error).__name__)
        case _:
            return _translated(error, address)


def _translated(error: AiogramError, address: Address) -> DeliveryError:
    match error:
        case TelegramRetryAfter():
            # Telegram does not say whose limit it was. A group has a low one of its own; in a private chat we keep
            # below the chat's, so it is the bot's.
            return Flooded(timedelta(seconds=error.retry_after), everyone=not is_group(address["chat_id"]))
        case TelegramForbiddenError() | TelegramMigrateToChat():
            # A group that became a supergroup has another id, which the message names; the old one is dead.
            return ClientUnreachable(error.message)
        case TelegramUnauthorizedError() | TelegramNotFound():
            # 404 is what the Bot API answers for a token that was never one.
            return ChannelBroken(error.message)
        case TelegramBadRequest() if "chat not found" in error.message.lower():
            return ClientUnreachable(error.message)
        case TelegramBadRequest():
            return ReplyRefused(error.message)
        case TelegramNetworkError() | TelegramServerError():
            return DeliveryDelayed(type(error).__name__)
        case _:
            return DeliveryDelayed(type(error).__name__)
