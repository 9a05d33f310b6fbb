"""Files: uploaded, their address asked for, fetched within five minutes, deleted (Meta's page "Media")."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta

from aiohttp import web

from sandbox.whatsapp.access import Access
from sandbox.whatsapp.errors import missing
from sandbox.whatsapp.files import check_upload
from sandbox.whatsapp.state import Json, State

_URL_LIFETIME = timedelta(minutes=5)
_KEPT = timedelta(days=30)


class MediaEdge:
    """`base_url` says where this server listens: the addresses of files lead here."""

    def __init__(self, state: State, access: Access, base_url: Callable[[], str]) -> None:
        self._state = state
        self._access = access
        self._base_url = base_url

    async def upload(self, request: web.Request) -> Json:
        number = self._access.number(request)
        form = await request.post()
        if form.get("messaging_product") != "whatsapp":
            raise missing("messaging_product")
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise missing("file")
        # `type` names the type again, and may be left out since v14.
        mime_type, body = str(form.get("type") or file.content_type), file.file.read()
        check_upload(body, mime_type)
        return {"id": self._state.add_media(number, body, mime_type, kept=_KEPT).id}

    async def describe(self, request: web.Request) -> Json:
        """Tell where the file can be fetched for the next five minutes."""
        number, media = self._access.media(request)
        key = secrets.token_urlsafe(16)
        number.media_urls[key] = (media.id, self._state.now() + _URL_LIFETIME)
        return {
            "id": media.id,
            "url": f"{self._base_url()}/media/{key}",
            "mime_type": media.mime_type,
            "sha256": hashlib.sha256(media.body).hexdigest(),
            "file_size": len(media.body),
            "messaging_product": "whatsapp",
        }

    async def delete(self, request: web.Request) -> Json:
        number, media = self._access.media(request)
        del number.media[media.id]
        return {"success": True}

    async def download(self, request: web.Request) -> web.Response:
        """Give the file to whoever has the number's token; to others, and later, there is nothing."""
        for number in self._state.numbers.values():
            media_id, until = number.media_urls.get(request.match_info["key"], ("", self._state.now()))
            media = number.media.get(media_id)
            if media is None or until <= self._state.now():
                continue
            if request.headers.get("Authorization") != f"Bearer {number.token}":
                return web.Response(status=401)
            return web.Response(body=media.body, headers={"Content-Type": media.mime_type})
        return web.Response(status=404)
