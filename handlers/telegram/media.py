"""What people send in Telegram besides words, and fetching it (Bot API: Message, getFile)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import Message

from orchestration.errors import MediaTooLarge, MediaUnavailable
from orchestration.messages import Attachment, AttachmentKind

_FETCH_LIMIT_S = 30
_CHUNK = 64 * 1024


def attachment_of(message: Message) -> Attachment | None:
    """Say what a message carries; None for the chat's own notes (a pinned message, a changed photo)."""
    kind = AttachmentKind
    if message.voice or message.audio:
        sound = message.voice or message.audio
        assert sound is not None  # noqa: S101 (for the type checker)
        return Attachment(
            kind=kind.VOICE,
            ref=sound.file_id,
            mime_type=sound.mime_type or "audio/ogg",
            seconds=sound.duration,
            size=sound.file_size,
        )
    if message.photo:
        largest = message.photo[-1]
        return Attachment(kind=kind.IMAGE, ref=largest.file_id, mime_type="image/jpeg", size=largest.file_size)
    film = message.video or message.video_note or message.animation
    if film:
        return Attachment(kind=kind.VIDEO, ref=film.file_id, mime_type="video/mp4", size=film.file_size)
    if message.document:
        document = message.document
        is_picture = (document.mime_type or "") in _PICTURES
        return Attachment(
            kind=kind.IMAGE if is_picture else kind.DOCUMENT,
            ref=document.file_id,
            mime_type=document.mime_type,
            size=document.file_size,
        )
    if message.sticker:
        return Attachment(kind=kind.STICKER)
    if message.location or message.venue:
        return Attachment(kind=kind.LOCATION)
    if message.contact:
        return Attachment(kind=kind.CONTACT)
    # What is of a kind newer than this program has a content type that says so little as the chat's own notes have.
    return Attachment(kind=kind.OTHER) if message.content_type in _OTHERS else None


_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Sent "as a file", it is a picture all the same."""
_OTHERS = frozenset({"dice", "poll", "game", "story", "invoice", "paid_media", "gift", "checklist", "unknown"})


async def fetch(bot: Bot, file_id: str, *, most_bytes: int) -> bytes:
    """Return a file's bytes. Raises MediaTooLarge, MediaUnavailable.

    Bots get no file over 20 MB. The file's address holds the bot's token: no error may carry it.
    """
    try:
        async with asyncio.timeout(_FETCH_LIMIT_S):
            file = await bot.get_file(file_id)
            if file.file_size is not None and file.file_size > most_bytes:
                raise MediaTooLarge("bytes")
            url = bot.session.api.file_url(bot.token, file.file_path or "")
            stream = bot.session.stream_content(url, timeout=_FETCH_LIMIT_S, chunk_size=_CHUNK, raise_for_status=True)
            return await _bounded(stream, most_bytes)
    except TelegramBadRequest as error:
        if "too big" in error.message.lower():
            raise MediaTooLarge("bytes") from None
        raise MediaUnavailable(error.message) from None
    except (AiogramError, aiohttp.ClientError, OSError) as error:
        raise MediaUnavailable(type(error).__name__) from None


async def _bounded(stream: AsyncIterator[bytes], most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most_bytes:
            raise MediaTooLarge("bytes")
    return bytes(body)
