"""Which files the Cloud API takes and how large they may be (Meta's page "Media", "Supported media types").

Not verified with Meta: the code for a file that is too large (131053 here; its page names none for the upload).
"""

from __future__ import annotations

from sandbox.whatsapp.errors import Refused

_MB = 1024 * 1024
_KINDS: dict[str, tuple[int, frozenset[str]]] = {
    "audio": (16 * _MB, frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"})),
    "image": (5 * _MB, frozenset({"image/jpeg", "image/png"})),
    "video": (16 * _MB, frozenset({"video/mp4", "video/3gpp"})),
    # An animated one; one that stands still may have 100 KB, which cannot be told apart here.
    "sticker": (500 * 1024, frozenset({"image/webp"})),
    "document": (
        100 * _MB,
        frozenset(
            {
                "text/plain",
                "application/pdf",
                "application/msword",
                "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            }
        ),
    ),
}


def kinds_of(mime_type: str) -> set[str]:
    """Return the kinds of message that may carry such a file; a document may carry any."""
    bare = mime_type.partition(";")[0].strip().lower()
    return {kind for kind, (_, types) in _KINDS.items() if bare in types} | {"document"}


def check_upload(body: bytes, mime_type: str) -> None:
    """Raise Refused where Meta would not take this file."""
    bare = mime_type.partition(";")[0].strip().lower()
    for most, types in _KINDS.values():
        if bare in types:
            if len(body) > most:
                raise Refused(131053, f"{len(body)} bytes of {bare}, at most {most}", broken=True)
            return
    known = ", ".join(sorted(one for _, types in _KINDS.values() for one in types))
    raise Refused(100, f"Param file must be a file with one of the following types: {known}. Got {bare!r}", broken=True)
