"""A Reply out to Telegram: text in pieces it takes, buttons as inline keyboards, the contact as a reply keyboard."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypedDict, cast

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
    BufferedInputFile,
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
    TopicGone,
)
from handlers.pieces import shortened, split_text, utf16_units
from handlers.telegram.limits import is_group
from orchestration.messages import AttachmentKind, Button, OutgoingFile, Reply

log = structlog.get_logger()

# Bot API, sendMessage: 1-4096 characters after entities parsing, counted in UTF-16 code units.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
# What fits on a phone's screen; the Bot API sets no limit.
_LONGEST_LABEL = 60

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None


class Address(TypedDict, total=False):
    chat_id: int
    business_connection_id: str


class Place(Address, total=False):
    message_thread_id: int


def address_of(dialogue_key: str) -> Address:
    """Read chat and business connection back out of the dialogue's key."""
    chat_id, _, rest = dialogue_key.partition(":")
    connection = rest.partition(":")[2]
    address: Address = {"chat_id": int(chat_id)}
    if connection:
        address["business_connection_id"] = connection
    return address


async def deliver(bot: Bot, outgoing: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
    """Send what of the reply has not been taken yet, piece by piece. Raises DeliveryError.

    What is to be pinned is so once it is known which message it became: whoever goes on pins that one, and no other.
    """
    reply = Reply.model_validate(outgoing.payload)
    address = address_of(outgoing.dialogue_key)
    pieces = split_text(reply.text, TEXT_LIMIT, utf16_units)
    if reply.file is not None:
        captioned = sum(map(utf16_units, reply.text)) <= CAPTION_LIMIT
        pieces = ["", *([] if captioned else pieces)]
    sent = outgoing.last_message_id
    if outgoing.sent_parts == 0 and not pieces:
        await _acknowledge(bot, address, reply)
    for index in range(outgoing.sent_parts, len(pieces)):
        await permit()
        if index == 0:
            await _acknowledge(bot, address, reply)
        markup = markup_of(reply) if index == len(pieces) - 1 else None
        try:
            if index == 0 and reply.file is not None:
                sent = await _put_file(bot, address, outgoing, reply, caption=reply.text if captioned else "")
            else:
                sent = await _put(bot, address, reply, pieces[index], markup, alone=len(pieces) == 1)
        except AiogramError as error:
            raise _of_a_piece(error, address) from error
        yield sent
    if reply.pinned and sent is not None:
        await _pin(bot, address, int(sent))


async def _put(bot: Bot, address: Address, reply: Reply, text: str, markup: Markup, *, alone: bool) -> str:
    """Let a piece take the place of the message that it is the next page of, else send it; return its message's id.

    No parse mode: a model's stray asterisk must never make Telegram refuse the message.
    """
    if reply.replaces and alone and not isinstance(markup, ReplyKeyboardMarkup | ReplyKeyboardRemove):
        try:
            await bot.edit_message_text(**address, text=text, message_id=int(reply.replaces), reply_markup=markup)
            return reply.replaces
        except TelegramBadRequest as error:
            if "message is not modified" in error.message.lower():
                # It was edited before, and that could not be kept.
                return reply.replaces
            # Deleted, too old, or no longer ours to edit: the words go out as a new message.
            log.info("message_not_edited", error=error.message)
    where = _place(address, reply)
    sent = await bot.send_message(**where, text=text, reply_markup=markup, disable_notification=reply.silent or None)
    return str(sent.message_id)


async def _put_file(bot: Bot, address: Address, outgoing: OutgoingReply, reply: Reply, *, caption: str) -> str:
    """Send a file: by its id where this bot has got it itself, else its bytes (Bot API, Sending files)."""
    file = reply.file
    assert file is not None  # noqa: S101 (for the type checker)
    content = file.ref if outgoing.file is None else BufferedInputFile(outgoing.file, filename=_name_of(file))
    where = _place(address, reply)
    words, silent = caption or None, reply.silent or None
    match file.kind:
        case AttachmentKind.IMAGE if (file.mime_type or "image/jpeg") == "image/jpeg":
            sent = await bot.send_photo(**where, photo=content, caption=words, disable_notification=silent)
        case AttachmentKind.VOICE if (file.mime_type or "audio/ogg").startswith("audio/ogg"):
            sent = await bot.send_voice(**where, voice=content, caption=words, disable_notification=silent)
        case AttachmentKind.VIDEO:
            sent = await bot.send_video(**where, video=content, caption=words, disable_notification=silent)
        case _:
            sent = await bot.send_document(**where, document=content, caption=words, disable_notification=silent)
    return str(sent.message_id)


def _name_of(file: OutgoingFile) -> str:
    return f"{file.kind.value}{mimetypes.guess_extension((file.mime_type or '').partition(';')[0]) or ''}"


def _place(address: Address, reply: Reply) -> Place:
    place: Place = cast("Place", dict(address))
    if reply.topic is not None:
        place["message_thread_id"] = reply.topic
    return place


async def _pin(bot: Bot, address: Address, message_id: int) -> None:
    """Pin a message; a courtesy that a bot may not have the right to."""
    try:
        await bot.pin_chat_message(chat_id=address["chat_id"], message_id=message_id, disable_notification=True)
    except AiogramError as error:
        log.info("message_not_pinned", error=type(error).__name__)


async def _acknowledge(bot: Bot, address: Address, reply: Reply) -> None:
    """End the button's spinner and use the buttons up; both are a courtesy and never hold up the words."""
    closes = reply.closes_buttons_of or (reply.replaces if reply.ask_contact else None)
    try:
        if reply.acknowledges:
            await bot.answer_callback_query(reply.acknowledges)
        if closes:
            await bot.edit_message_reply_markup(**address, message_id=int(closes), reply_markup=None)
    except TelegramBadRequest as error:
        # The press is too old, or the buttons are gone already: the words still go out.
        log.info("press_not_acknowledged", error=error.message)
    except AiogramError as error:
        raise _translated(error, address) from error


def markup_of(reply: Reply) -> Markup:
    """Draw the reply's choices."""
    if reply.ask_contact:
        # Bot API, KeyboardButton: request_contact works in private chats only. What stands on the other buttons comes
        # back as plain words, which are read as the button.
        ask = KeyboardButton(text=reply.ask_contact, request_contact=True)
        others = [[KeyboardButton(text=button.text) for button in row] for row in reply.buttons]
        return ReplyKeyboardMarkup(keyboard=[[ask], *others], resize_keyboard=True, one_time_keyboard=True)
    if reply.buttons:
        rows = [[InlineKeyboardButton(text=_label(b), callback_data=b.action) for b in row] for row in reply.buttons]
        return InlineKeyboardMarkup(inline_keyboard=rows)
    return ReplyKeyboardRemove() if reply.drop_keyboard else None


def _label(button: Button) -> str:
    return shortened(f"{button.text} · {button.detail}" if button.detail else button.text, _LONGEST_LABEL)


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
        case TelegramBadRequest() if "message thread not found" in error.message.lower():
            return TopicGone(error.message)
        case TelegramBadRequest() if "chat not found" in error.message.lower():
            return ClientUnreachable(error.message)
        case TelegramBadRequest():
            return ReplyRefused(error.message)
        case TelegramNetworkError() | TelegramServerError():
            return DeliveryDelayed(type(error).__name__)
        case _:
            return DeliveryDelayed(type(error).__name__)
