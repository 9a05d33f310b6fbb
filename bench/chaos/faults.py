"""The vendors' bad weather: answers that come late, never, or as errors; changed every second or two, by the seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.wire import GenerateRequest, Part
from sandbox.scripted.model import ScriptedModel
from sandbox.telegram.server import TelegramSandbox
from sandbox.yclients.server import YclientsSandbox

_CHANGES_EVERY_S = (0.5, 2.0)
_MODEL_THINKS_S = (0.02, 0.25)
_MODEL_SLOW_S = 2.0
_MODEL_SLOW_SHARE = 0.03

_CRM_WRITE: dict[str, dict[str, Any]] = {
    "CRM write: booked, then cut": {"cut_after": True},
    "CRM write: cut before booking": {"cut_before": True},
    "CRM write: 500": {"status": 500},
    "CRM write: 503": {"status": 503},
    "CRM write: late": {"hang_s": 1.5},
}
_CRM_READ: dict[str, dict[str, Any]] = {
    "CRM read: 500": {"status": 500},
    "CRM read: 503 as a page": {"html": True},
    "CRM read: 429": {"status": 429, "retry_after": 1},
    "CRM read: cut": {"cut_before": True},
    "CRM read: late": {"hang_s": 1.0},
}
_TELEGRAM: dict[str, dict[str, Any]] = {
    "Telegram: 429": {"code": 429, "retry_after": 1},
    "Telegram: 502": {"code": 502},
    "Telegram: taken, then cut": {"cut_after": True},
}
_GEMINI: dict[str, dict[str, Any]] = {
    "Gemini: 429": {"kind": "rate_limited", "retry_after": 1},
    "Gemini: 503": {"kind": "unavailable"},
    "Gemini: cut": {"kind": "cut"},
}


@dataclass(slots=True)
class Weather:
    """Lets the next call of one vendor fail, again and again, until `clear`."""

    telegram: TelegramSandbox
    yclients: YclientsSandbox
    gemini: GeminiSandbox
    rng: random.Random
    sent: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Change the weather until cancelled."""
        while True:
            await asyncio.sleep(self.rng.uniform(*_CHANGES_EVERY_S))
            self.rng.choice(
                (self._crm_write, self._crm_write, self._crm_read, self._from_telegram, self._from_gemini)
            )()

    def clear(self) -> None:
        self.telegram.clear_faults()
        self.yclients.clear_faults()
        self.gemini.clear_faults()

    def _crm_write(self) -> None:
        name, fault = self._pick(_CRM_WRITE)
        self.yclients.clear_faults()
        self.yclients.fail_next("/records/", method="POST", **fault)
        self.sent[name] += 1

    def _crm_read(self) -> None:
        name, fault = self._pick(_CRM_READ)
        self.yclients.fail_next("/", method="GET", **fault)
        self.sent[name] += 1

    def _from_telegram(self) -> None:
        name, fault = self._pick(_TELEGRAM)
        self.telegram.fail_next("sendmessage", **fault)
        self.sent[name] += 1

    def _from_gemini(self) -> None:
        name, fault = self._pick(_GEMINI)
        self.gemini.clear_faults()
        self.gemini.fail_next(**fault)
        self.sent[name] += 1

    def _pick(self, faults: dict[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
        name = self.rng.choice(sorted(faults))
        return name, faults[name]


class ThinkingModel:
    """The scripted model, which takes its time as a real one does."""

    def __init__(self, model: ScriptedModel, rng: random.Random) -> None:
        self._model = model
        self._rng = rng

    async def __call__(self, request: GenerateRequest) -> list[Part]:
        slow = self._rng.random() < _MODEL_SLOW_SHARE
        await asyncio.sleep(_MODEL_SLOW_S if slow else self._rng.uniform(*_MODEL_THINKS_S))
        return self._model(request)
