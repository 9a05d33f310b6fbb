"""What people send in WhatsApp besides words, and fetching it (Meta's page "Media": the address that an id leads to is
good for five minutes and wants the access token)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from pywa_async.errors import WhatsAppError

from db.records import Channel
from handlers.whatsapp.numbers import Numbers
from orchestration.errors import MediaTooLarge, MediaUnavailable
from orchestration.messages import Attachment, AttachmentKind

_FETCH_LIMIT_S = 30
_HOSTS = (".fbsbx.com", ".facebook.com", ".fbcdn.net", ".whatsapp.net")
"""Meta's own: the access token goes nowhere else, whatever an answer names."""
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
_KINDS = {
    "audio": AttachmentKind.VOICE,
    "image": AttachmentKind.IMAGE,
    "video": AttachmentKind.VIDEO,
    "document": AttachmentKind.DOCUMENT,
    "sticker": AttachmentKind.STICKER,
    "location": AttachmentKind.LOCATION,
}


def attachment_of(item: Mapping[str, Any]) -> Attachment:
    """Say what a message carries; OTHER for what is newer than this program, or what Meta itself cannot show."""
    type_ = str(item.get("type"))
    kind = _KINDS.get(type_, AttachmentKind.OTHER)
    content = item.get(type_)
    if not isinstance(content, dict):
        return Attachment(kind=AttachmentKind.OTHER)
    mime_type = str(content["mime_type"]) if content.get("mime_type") else None
    if kind is AttachmentKind.DOCUMENT and (mime_type or "").partition(";")[0] in _PICTURES:
        # Sent "as a document", it is a picture all the same.
        kind = AttachmentKind.IMAGE
    return Attachment(kind=kind, ref=str(content.get("id") or ""), mime_type=mime_type)


async def fetch(numbers: Numbers, channel: Channel, media_id: str, *, most_bytes: int) -> bytes:
    """Return a file's bytes. Raises MediaTooLarge, MediaUnavailable."""
    try:
        async with asyncio.timeout(_FETCH_LIMIT_S):
            found = await numbers.get(channel).get_media_url(media_id)
            if found.file_size and found.file_size > most_bytes:
                raise MediaTooLarge("bytes")
            url = httpx.URL(found.url)
            if not _is_metas(url, numbers.api_url):
                raise MediaUnavailable("the address is not Meta's")
            return await _download(numbers, channel, url, most_bytes)
    except WhatsAppError as error:
        raise MediaUnavailable(f"{error.code}: {error.message}") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, KeyError, ValueError) as error:
        raise MediaUnavailable(type(error).__name__) from error


async def _download(numbers: Numbers, channel: Channel, url: httpx.URL, most_bytes: int) -> bytes:
    headers = {"Authorization": f"Bearer {numbers.token(channel).get_secret_value()}"}
    body = bytearray()
    # Redirects are not followed: the token would go along.
    async with numbers.session().stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise MediaUnavailable(f"HTTP {response.status_code}")
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > most_bytes:
                raise MediaTooLarge("bytes")
    return bytes(body)


def _is_metas(url: httpx.URL, api_url: httpx.URL | None) -> bool:
    if api_url is not None and (url.host, url.port) == (api_url.host, api_url.port):
        return True
    return url.scheme == "https" and f".{url.host}".endswith(_HOSTS)
