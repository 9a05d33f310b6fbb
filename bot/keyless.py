"""The model where no key is set: it fails at once, unless a demo of the same folder lends its stand-in."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from orchestration.errors import ModelUnavailable
from orchestration.gemini import GeminiService
from orchestration.ports import ModelAnswer, ModelRequest

log = structlog.get_logger()


class KeylessModel:
    """`find_url` is asked at every call, as demos come and go; None: nobody lends a model."""

    def __init__(self, find_url: Callable[[], str | None], open_model: Callable[[str], GeminiService]) -> None:
        self._find_url = find_url
        self._open_model = open_model
        self._lent: dict[str, GeminiService] = {}

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        """Answer by the lent model. Raises ModelUnavailable at once where there is none."""
        url = self._find_url()
        if url is None:
            raise ModelUnavailable("AI_ADMIN_GEMINI_API_KEY is not set")
        log.warning("answered_by_the_demos_script")
        if url not in self._lent:
            self._lent[url] = self._open_model(url)
        return await self._lent[url].generate(request)

    async def close(self) -> None:
        for model in self._lent.values():
            await model.close()
