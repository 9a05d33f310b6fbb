"""Voice notes: written down by the model and read as words.

The files are fetched for the turn and held in its memory only. The words of a voice note are kept for a while, so that
a turn that has to be made again reads the same words: a spoken yes must not be heard as something else the second time.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from locales import prompt_text
from orchestration.errors import MediaTooLarge, ModelBlocked
from orchestration.messages import Attachment
from orchestration.ports import Content, MediaPart, Model, ModelRequest
from orchestration.turns import Turn

log = structlog.get_logger()

UNINTELLIGIBLE = "UNINTELLIGIBLE"
"""What the model answers instead of words where nothing can be made out; locales/prompts/listening.md says so to it."""
_OPUS_RATE = 48_000


class HeardWords(Protocol):
    """Keeps what was heard, by the message's id within the dialogue. Losing it costs another model call."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """What is taken of one message; past it the client is told, kindly. `words_kept`: see above."""

    seconds: float = 180
    most_bytes: int = 10 * 1024 * 1024
    words_kept: timedelta = timedelta(minutes=30)


class Hearing:
    """Turns attachments into what the agent can work with."""

    def __init__(self, model: Model, heard: HeardWords, limits: MediaLimits, *, time: timedelta) -> None:
        self._model = model
        self._heard = heard
        self._limits = limits
        self._time = time

    async def listen(self, turn: Turn, attachment: Attachment) -> str | None:
        """Return the words of a voice note; None where nothing can be made out.

        Raises MediaTooLarge, MediaUnavailable, ModelError.
        """
        key = f"{turn.dialogue.id}:{turn.messages[0].id}"
        known = await self._heard.get(key)
        if known is not None:
            return known or None
        if attachment.seconds is not None and attachment.seconds > self._limits.seconds:
            raise MediaTooLarge("seconds")
        part = await self._fetch(turn, attachment)
        if seconds_of(part.data) > self._limits.seconds:
            raise MediaTooLarge("seconds")
        words = await self._write_down(turn, part)
        await self._heard.set(key, words, ttl=self._limits.words_kept)
        return words or None

    async def _fetch(self, turn: Turn, attachment: Attachment) -> MediaPart:
        if attachment.size is not None and attachment.size > self._limits.most_bytes:
            raise MediaTooLarge("bytes")
        data = await turn.media.fetch(attachment, most_bytes=self._limits.most_bytes)
        # Messengers add parameters ("audio/ogg; codecs=opus"); Gemini takes the bare type only.
        bare = (attachment.mime_type or "").partition(";")[0].strip().lower()
        return MediaPart(mime_type=bare or "audio/ogg", data=data)

    async def _write_down(self, turn: Turn, part: MediaPart) -> str:
        request = ModelRequest(
            system=prompt_text("listening"),
            contents=[Content(role="user", parts=(part,))],
            tools=(),
            timeout=self._time,
            model=turn.scope.agent.model,
        )
        try:
            answer = await self._model.generate(request)
        except ModelBlocked as error:
            # An empty answer is what silence comes to.
            log.info("voice_note_not_heard", reason=str(error))
            return ""
        turn.spend(answer.usage, answer.model)
        words = answer.content.text.strip()
        return "" if words.strip(".").upper() == UNINTELLIGIBLE else words


def seconds_of(data: bytes) -> float:
    """Return how long an Ogg Opus recording is, 0 for anything else (RFC 7845: the last page's granule position counts
    samples at 48 kHz). WhatsApp does not say how long a voice note is."""
    if not data.startswith(b"OggS") or b"OpusHead" not in data[:128]:
        return 0.0
    last = data.rfind(b"OggS")
    if last < 0 or len(data) < last + 14:
        return 0.0
    granule: int = struct.unpack_from("<q", data, last + 6)[0]
    return max(0, granule) / _OPUS_RATE
