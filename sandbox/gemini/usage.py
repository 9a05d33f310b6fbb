"""Counts of tokens, computed from the lengths of what was really sent, and the implicit cache's common prefix.

A count of words is an estimate: four Latin or some three Cyrillic characters to a token; Google's tokenizer is not
public. Sounds and pictures are counted as ai.google.dev/gemini-api/docs/audio and .../media-resolution say: 32 tokens a
second, and a fixed number for a picture by generation and resolution. That the second generation counts a large
picture as several tiles is left out.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from sandbox.gemini.models import picture_tokens
from sandbox.gemini.signatures import decode
from sandbox.gemini.wire import Blob, Content, GenerateRequest, Json, Part
from sandbox.media import seconds_of

_AUDIO_TOKENS_PER_SECOND = 32
_AUDIO_BYTES_PER_SECOND = 2000  # Opus voice at 16 kbit/s, what messengers send
_BLOCK = 1024
_ENTRIES = 8192
_LIFETIME = timedelta(hours=1)
_THOUGHTS = {"MINIMAL": 8, "LOW": 24, "MEDIUM": 64, "HIGH": 160, "XHIGH": 320}


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text, at least one unless it is empty."""
    ascii_count = sum(1 for char in text if char < "\x80")
    weighed = ascii_count * 0.25 + (len(text) - ascii_count) * 0.36
    return max(1, round(weighed)) if text else 0


def part_text(part: Part) -> str:
    """Write a part as the text whose tokens are counted; a blob stands as its digest."""
    if part.text is not None:
        return part.text
    document = part.model_dump(exclude_none=True, exclude={"thought_signature"}, mode="json")
    if part.inline_data is not None:
        digest = hashlib.sha256((part.inline_data.data or "").encode()).hexdigest()
        document = {"inline_data": part.inline_data.mime_type, "digest": digest}
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def count_prompt(model: str, request: GenerateRequest) -> dict[str, int]:
    """Count the tokens that go in, by modality."""
    counts = {"TEXT": sum(text_tokens(one) for one in prompt_segments(request, blobs=False))}
    resolution = (request.generation_config and request.generation_config.media_resolution) or ""
    for content in request.contents or []:
        for part in content.parts or []:
            if part.inline_data is not None:
                modality = _modality(part.inline_data)
                heard = modality in ("AUDIO", "VIDEO")
                tokens = _sound_tokens(part.inline_data) if heard else picture_tokens(model, resolution)
                counts[modality] = counts.get(modality, 0) + tokens
    return counts


def _modality(blob: Blob) -> str:
    kind = (blob.mime_type or "").split("/")[0].upper()
    return kind if kind in ("AUDIO", "VIDEO", "IMAGE") else "DOCUMENT"


def _sound_tokens(blob: Blob) -> int:
    body = decode(blob.data or "") or b""
    seconds = round(seconds_of(body)) or len(body) // _AUDIO_BYTES_PER_SECOND
    return max(1, seconds) * _AUDIO_TOKENS_PER_SECOND


def prompt_segments(request: GenerateRequest, *, blobs: bool = True) -> list[str]:
    """Lay the prompt out in the order in which prefixes are compared: system instruction, tools, contents."""
    segments: list[str] = []
    if request.system_instruction is not None:
        segments += _content_texts(request.system_instruction, blobs)
    for one in request.declarations:
        segments.append(json.dumps(one.model_dump(exclude_none=True), ensure_ascii=False, sort_keys=True))
    for content in request.contents or []:
        segments += _content_texts(content, blobs)
    return segments


def _content_texts(content: Content, blobs: bool) -> list[str]:
    return [part_text(part) for part in content.parts or [] if blobs or part.inline_data is None]


def count_thoughts(request: GenerateRequest, parts: Sequence[Part]) -> int:
    """Estimate thinking: a base by level and a little for every function call."""
    config = request.generation_config and request.generation_config.thinking_config
    level = (config and config.thinking_level) or "MEDIUM"
    return _THOUGHTS[level.upper()] + 12 * sum(1 for part in parts if part.function_call)


def usage_metadata(prompt: dict[str, int], *, cached: int, answer: int, thoughts: int) -> Json:
    """Write usageMetadata; zero counts that the API leaves out are left out."""
    total = sum(prompt.values())
    usage: Json = {
        "promptTokenCount": total,
        "totalTokenCount": total + answer + thoughts,
        "promptTokensDetails": [{"modality": kind, "tokenCount": count} for kind, count in prompt.items()],
    }
    for name, count in (
        ("candidatesTokenCount", answer),
        ("thoughtsTokenCount", thoughts),
        ("cachedContentTokenCount", cached),
    ):
        if count:
            usage[name] = count
    return usage


class PrefixCache:
    """Remembers digests of the prefixes of earlier prompts, the newest few thousand, each for an hour.

    Stands for Google's implicit cache, whose lifetime is not published."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: OrderedDict[bytes, datetime] = OrderedDict()

    def serve(self, scope: str, segments: Sequence[str], *, minimum: int) -> int:
        """Return how many tokens an earlier prompt of this scope shares with this one, 0 below the minimum."""
        text = "\x00".join(segments)
        bounds = [*range(0, len(text), _BLOCK), len(text)]
        digest, cached, hit, now = hashlib.sha256(scope.encode()), 0, True, self._clock()
        for start, end in pairwise(bounds):
            block = text[start:end]
            digest.update(block.encode())
            key = digest.digest()[:16]
            hit = hit and end - start == _BLOCK and self._is_fresh(key, now)
            cached += text_tokens(block) if hit else 0
            self._remember(key, now)
        return cached if cached >= minimum else 0

    def _is_fresh(self, key: bytes, now: datetime) -> bool:
        seen = self._seen.get(key)
        return seen is not None and now - seen < _LIFETIME

    def _remember(self, key: bytes, now: datetime) -> None:
        self._seen[key] = now
        self._seen.move_to_end(key)
        while len(self._seen) > _ENTRIES:
            self._seen.popitem(last=False)
