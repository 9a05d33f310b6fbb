"""What every kind of model has in common: retries with jitter within the turn's time, a second model, a rest after
failures, another try where an answer was none. Each kind adds how one question is asked."""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge

from orchestration.errors import Blocked, ModelBlocked, ModelUnavailable
from orchestration.model_breaker import ModelBreaker
from orchestration.model_prices import cost_of
from orchestration.ports import ModelAnswer, ModelRequest

log = structlog.get_logger()

MODEL_CALLS = Counter("ai_admin_model_calls", "Calls of the language model.", ["model", "outcome"])
MODEL_TOKENS = Counter("ai_admin_model_tokens", "Tokens of the language model.", ["model", "direction"])
MODEL_RESTING = Gauge("ai_admin_model_resting", "1: the model failed again and again, and rests.", ["model"])
MODEL_COST = Counter("ai_admin_model_cost_usd", "US dollars by the price table.", ["model"])

RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504})
_ATTEMPTS = 3
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 4.0
# Thoughts count against the answer's budget: a smaller one can leave the answer empty.
_MOST_OUTPUT_TOKENS = 4096


class Overloaded(Exception):
    """One question failed and may succeed when it is asked again; `delay`: the seconds that the service asks for.

    `outcome` is what it is counted as: an HTTP status, or "unreachable".
    """

    def __init__(self, outcome: str, delay: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.delay = delay


class ModelService(ABC):
    """A Model (see ports.py). `models`: in the order in which they are tried."""

    def __init__(self, models: Sequence[str], breaker: ModelBreaker | None = None) -> None:
        self._models = list(models)
        self._breaker = breaker or ModelBreaker()

    @abstractmethod
    async def ask(self, model: str, request: ModelRequest, *, room: int) -> ModelAnswer:
        """Ask once; `room`: tokens for the answer. Raises Overloaded, ModelRefused or ModelBlocked."""

    @abstractmethod
    async def knows(self, model: str, *, within: timedelta) -> bool | None:
        """Say whether the service has this model for our key, for nothing; None: it does not tell.

        Raises ModelRefused where the key is refused, ModelUnavailable.
        """

    @property
    def models(self) -> Sequence[str]:
        """The models in the order in which they are tried."""
        return tuple(self._models)

    @abstractmethod
    async def close(self) -> None: ...

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        """Answer within `request.timeout`, retries and the fallback model included.

        A model that failed again and again is left alone for a while. Raises ModelUnavailable, ModelRefused or
        ModelBlocked.
        """
        models = list(dict.fromkeys([request.model, *self._models[1:]] if request.model else self._models))
        started, seconds = time.monotonic(), request.timeout.total_seconds()
        failed: ModelUnavailable | None = None
        for place, model in enumerate(models):
            if not self._breaker.may_ask(model):
                continue
            left = seconds - (time.monotonic() - started)
            # A model that hangs must leave the next one time to answer.
            share = left if place == len(models) - 1 else left / 2
            try:
                return await self._ask_one(model, request, share)
            except ModelUnavailable as error:
                log.warning("model_failed_once", model=model, error=str(error))
                failed = error
                if request.is_heard:
                    break
        if failed is None:
            MODEL_CALLS.labels(models[0], "resting").inc()
        raise failed or ModelUnavailable("the model rests after failures")

    async def _ask_one(self, model: str, request: ModelRequest, seconds: float) -> ModelAnswer:
        """Ask one model within its share of the time, and remember how it went."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self._ask_usefully(model, request)
        except TimeoutError as error:
            MODEL_CALLS.labels(model, "timeout").inc()
            self._failed(model)
            raise ModelUnavailable("no answer in time") from error
        except ModelUnavailable:
            self._failed(model)
            raise
        except BaseException:
            self._breaker.let_go(model)
            raise
        self._breaker.worked(model)
        MODEL_RESTING.labels(model).set(0)
        return answer

    def _failed(self, model: str) -> None:
        self._breaker.failed(model)
        MODEL_RESTING.labels(model).set(self._breaker.rests(model))

    async def _ask_usefully(self, model: str, request: ModelRequest) -> ModelAnswer:
        """Ask again once where the answer was no answer; one that was cut off, with more room."""
        try:
            return await self._ask_patiently(model, request, _MOST_OUTPUT_TOKENS)
        except ModelBlocked as error:
            if error.kind is Blocked.REFUSED or request.is_heard:
                raise
            log.warning("model_answer_unusable", model=model, kind=error.kind.value, reason=str(error))
            room = _MOST_OUTPUT_TOKENS * (2 if error.kind is Blocked.TOO_LONG else 1)
            return await self._ask_patiently(model, request, room)

    async def _ask_patiently(self, model: str, request: ModelRequest, room: int) -> ModelAnswer:
        """Ask one model, again with growing, jittered delays where the service says it may help."""
        attempt = 1
        while True:
            try:
                answer = await self.ask(model, request, room=room)
            except Overloaded as error:
                MODEL_CALLS.labels(model, error.outcome).inc()
                if attempt == _ATTEMPTS or request.is_heard:
                    raise ModelUnavailable(error.outcome) from error
                delay = error.delay or _backoff(attempt)
            except ModelBlocked:
                MODEL_CALLS.labels(model, "blocked").inc()
                raise
            else:
                MODEL_CALLS.labels(model, "ok").inc()
                return answer
            attempt += 1
            await asyncio.sleep(delay)


def count_usage(answer: ModelAnswer) -> ModelAnswer:
    """Count an answer's tokens and cost, and return it."""
    usage = answer.usage
    MODEL_TOKENS.labels(answer.model, "in").inc(usage.prompt_tokens)
    MODEL_TOKENS.labels(answer.model, "out").inc(usage.output_tokens)
    MODEL_TOKENS.labels(answer.model, "cached").inc(usage.cached_tokens)
    MODEL_COST.labels(answer.model).inc(cost_of(usage, answer.model) / 1_000_000)
    return answer


def _backoff(attempt: int) -> float:
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
