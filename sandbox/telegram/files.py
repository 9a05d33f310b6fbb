"""Files that people and bots send: kept once, known by an id, sent again by it (Bot API: Sending files)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.state import Bot, Json
from sandbox.telegram.text import BadRequest

SIGNS = {"voice": "🎤", "photo": "🖼", "sticker": "🙂", "location": "📍"}
"""What stands for a message without words in a list of texts."""
ANY_SIGN = "📎"
PHOTO_LIMIT = 10 * 1024 * 1024
UPLOAD_LIMIT = 50 * 1024 * 1024
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_TYPES = {"photo": "Photo", "voice": "VoiceNote", "video": "Video", "document": "Document", "audio": "Audio"}
"""File types as TDLib names them in its refusals."""
_KEPT = {
    "voice": ("duration",),
    "video": ("duration", "width", "height", "file_name"),
    "document": ("file_name",),
    "photo": (),
}
_DEFAULTS: dict[str, Json] = {
    "voice": {"duration": 1, "mime_type": "audio/ogg"},
    "video": {"duration": 1, "width": 320, "height": 240, "mime_type": "video/mp4"},
    "document": {"mime_type": "application/octet-stream"},
    "photo": {},
}


class TooLarge(Exception):
    """The whole request is refused with 413."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    name: str
    body: bytes = field(repr=False)
    mime_type: str = "application/octet-stream"


def keep(bots: Iterable[Bot], kind: str, body: bytes, **facts: Any) -> Json:
    """Keep a file for those bots, and return its object. (The real ids differ from bot to bot: this is looser.)"""
    holders = list(bots)
    number = 1 + max((len(bot.files) for bot in holders), default=0)
    file_id = f"file-{number}"
    shown = {**_DEFAULTS.get(kind, {}), **{name: value for name, value in facts.items() if value is not None}}
    for bot in holders:
        bot.files[file_id] = body
        bot.file_facts[file_id] = {"kind": kind, **shown}
    return {"file_id": file_id, "file_unique_id": f"u{file_id}", **shown, "file_size": len(body)}


def photo_sizes(bots: Iterable[Bot], picture: bytes) -> list[Json]:
    """Keep a picture; Telegram makes several sizes of it, the largest last."""
    holders = list(bots)
    return [keep(holders, "photo", picture, width=side, height=side) for side in (90, 1280)]


def sent_file(bot: Bot, holders: Iterable[Bot], kind: str, parameters: Json) -> Json:
    """Return the fields that a message with the file of this request has. Raises BadRequest, TooLarge.

    [likely] are the refusals of an unknown id and of a picture that is none; the others are the server's or TDLib's.
    """
    wanted = parameters.get(kind)
    if isinstance(wanted, str) and wanted.startswith("attach://"):
        wanted = parameters.get(wanted.removeprefix("attach://"))
    if isinstance(wanted, Upload):
        return _uploaded(wanted, holders, kind, parameters)
    if not wanted:
        raise BadRequest(f"there is no {kind} in the request")
    if str(wanted).startswith(("http://", "https://")):
        raise BadRequest("failed to get HTTP URL content")
    file_id = str(wanted)
    if file_id not in bot.files:
        raise BadRequest("wrong file identifier/HTTP URL specified")
    facts = dict(bot.file_facts.get(file_id, {"kind": kind}))
    known = facts.pop("kind")
    if known != kind:
        raise BadRequest(f"can't use file of type {_TYPES.get(known, known)} as {_TYPES[kind]}")
    body = bot.files[file_id]
    shown = {"file_id": file_id, "file_unique_id": f"u{file_id}", **facts, "file_size": len(body)}
    return {kind: [shown] if kind == "photo" else shown}


def _uploaded(upload: Upload, holders: Iterable[Bot], kind: str, parameters: Json) -> Json:
    size = len(upload.body)
    if size > UPLOAD_LIMIT:
        raise TooLarge
    if size == 0:
        raise BadRequest("file must be non-empty")
    if kind == "photo":
        if size > PHOTO_LIMIT:
            most = f"the maximum size is {PHOTO_LIMIT} bytes"
            raise BadRequest(f"file of size {size} bytes is too big for a photo; {most}")
        if not upload.body.startswith(_PICTURES):
            raise BadRequest("IMAGE_PROCESS_FAILED")
        return {"photo": photo_sizes(holders, upload.body)}
    facts: Json = {name: int(parameters[name]) for name in _KEPT[kind] if name in parameters and name != "file_name"}
    if "file_name" in _KEPT[kind]:
        facts["file_name"] = upload.name
    if kind == "document":
        facts["mime_type"] = upload.mime_type
    return {kind: keep(holders, kind, upload.body, **facts)}
