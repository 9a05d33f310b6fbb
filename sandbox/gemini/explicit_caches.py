"""Explicit caches (https://ai.google.dev/api/caching): a system instruction and tools that are kept under a name."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.gemini.models import cache_minimum, check_model
from sandbox.gemini.usage import count_prompt
from sandbox.gemini.wire import GeminiError, GenerateRequest, Json, invalid, parse

_TTL = re.compile(r"(\d+(?:\.\d+)?)s")
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    model: str
    key: str
    request: GenerateRequest
    tokens: int
    until: datetime


class ExplicitCaches:
    """Belongs to the API key that made it, and serves its own model only."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def create(self, key: str, body: Json) -> Json:
        """Keep the content; raise the API's refusal where it is too small or names no model."""
        model = str(body.pop("model", "")).removeprefix("models/")
        check_model(model, version="v1beta", method="createCachedContent")
        found = _TTL.fullmatch(str(body.pop("ttl", "3600s")))
        if found is None:
            raise invalid("Invalid value at 'cached_content.ttl'")
        request = parse(GenerateRequest, body)
        tokens = sum(count_prompt(model, request).values())
        if tokens < cache_minimum(model):
            raise invalid(
                f"Cached content is too small. total_token_count={tokens}, min_total_token_count={cache_minimum(model)}"
            )
        if len(self._kept) >= _MOST:
            self._kept.pop(next(iter(self._kept)))
        name = f"cachedContents/{secrets.token_hex(8)}"
        until = self._clock() + timedelta(seconds=float(found[1]))
        self._kept[name] = _Kept(model=model, key=key, request=request, tokens=tokens, until=until)
        return {
            "name": name,
            "model": f"models/{model}",
            "expireTime": until.isoformat(),
            "usageMetadata": {"totalTokenCount": tokens},
        }

    def resolve(self, model: str, key: str, request: GenerateRequest) -> tuple[GenerateRequest, int]:
        """Return the request with what its cache holds, and how many tokens that is."""
        if request.cached_content is None:
            return request, 0
        kept = self._kept.get(request.cached_content)
        if kept is None or kept.key != key or kept.until < self._clock():
            raise GeminiError(403, "PERMISSION_DENIED", "CachedContent not found (or permission denied)")
        if request.system_instruction or request.tools or request.tool_config:
            raise invalid(
                "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
                "tool_config."
            )
        if kept.model != model:
            raise invalid(
                f"Model used by GenerateContent request (models/{model}) and CachedContent has to be the same."
            )
        whole = request.model_copy(
            update={
                "cached_content": None,
                "system_instruction": kept.request.system_instruction,
                "tools": kept.request.tools,
            }
        )
        return whole, kept.tokens

    def forget_all(self) -> None:
        self._kept.clear()
