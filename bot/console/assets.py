"""The console's own files: named by what is in them, so that a browser keeps them for ever and never has an old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    type: str


class Assets:
    """`names`: the name under which each file is served."""

    def __init__(self) -> None:
        self._files: dict[str, _Asset] = {}
        names = {}
        for path in sorted(_FOLDER.iterdir()):
            if path.suffix in _TYPES:
                body = path.read_bytes()
                named = f"{path.stem}.{sha256(body).hexdigest()[:16]}{path.suffix}"
                self._files[named] = _Asset(body, _TYPES[path.suffix])
                names[path.name] = named
        self.names: Mapping[str, str] = names

    async def serve(self, request: web.Request) -> web.Response:
        asset = self._files.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(body=asset.body, content_type=asset.type, charset="utf-8", headers=_FOR_EVER)
