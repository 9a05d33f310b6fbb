"""One HTTP client for all CRMs: time limits, retries of safe calls, pacing, redaction, size limits, metrics."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, quote_plus, urlencode

import httpx
from prometheus_client import Counter, Histogram
from pydantic import SecretStr, TypeAdapter, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter, wait_random

from crm.account import Clock
from crm.base import Pace
from crm.errors import CRMError, CRMOutcomeUnknown, CRMRateLimited, CRMUnavailable

T = TypeVar("T")

CALLS = Counter(
    "ai_admin_crm_calls_total", "Operations asked of CRMs, retries included in one.", ["crm", "operation", "outcome"]
)
SECONDS = Histogram(
    "ai_admin_crm_call_seconds",
    "How long one operation of a CRM took, waiting and retries included.",
    ["crm", "operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)

ATTEMPTS = 4
LONGEST_PAUSE = timedelta(seconds=8)
"""A Retry-After beyond this is the caller's to keep, not ours to sit out."""
NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Not a byte of the request was sent. Everything else may have reached the CRM."""


class UnreadableAnswer(ValueError):
    """The answer is not what the vendor documents. Never carries the answer's values: they are clients' data."""


class NotJSON(UnreadableAnswer):
    """Somebody before the CRM answered (an edge's HTML page); the next try may reach it."""


def parse(shape: TypeAdapter[T], value: object) -> T:
    """Read a vendor's JSON value. Raises UnreadableAnswer that names the places, not what stood there."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    places = ", ".join(f"{'.'.join(map(str, entry['loc'])) or 'answer'} ({entry['type']})" for entry in found[:5])
    raise UnreadableAnswer(f"{len(found)} fields cannot be read: {places}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long a call may take. `write` bounds a whole write: past it, it either happened or never will by us."""

    connect: timedelta = timedelta(seconds=4)
    read: timedelta = timedelta(seconds=10)
    read_with_retries: timedelta = timedelta(seconds=25)
    write: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A vendor's limit on calls; `name` tells two limits of one vendor apart."""

    name: str
    rate: int
    per: timedelta
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation. `safe`: it changes nothing, whatever its method, and may be repeated.

    `path` may carry a query of its own, percent-encoded, where the CRM reads no other; `json` or `form` is the body.
    `private` are values (a phone) that must not stand in an error's text, as credentials never do.
    """

    operation: str
    method: str
    path: str
    safe: bool
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object | None = None
    form: Sequence[tuple[str, str]] | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str] = field(default_factory=dict)
    """What the CRM set with this answer; the pool keeps none, whoever has a session carries it from call to call."""

    def json(self) -> object:
        """Return the body as JSON. Raises NotJSON."""
        try:
            # A byte order mark before the text is some servers' way.
            value: object = json.loads(self.body.removeprefix(codecs.BOM_UTF8))
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type")
            raise NotJSON(f"{len(self.body)} bytes of {kind} are not JSON") from None
        return value


class _TooLarge(Exception):
    pass


class _Again(Exception):
    """A safe call failed in a way that may pass; `error` is what to raise when it does not."""

    def __init__(self, error: CRMUnavailable | CRMRateLimited) -> None:
        super().__init__(error.code)
        self.error = error


class CRMHttp:
    """The connection pool shared by all companies. Keeps no cookies: one company's must never reach another's call."""

    def __init__(
        self,
        *,
        clock: Clock,
        time_limits: TimeLimits | None = None,
        max_bytes: int = 8 * 1024 * 1024,
        max_connections: int = 100,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.time_limits = time_limits or TimeLimits()
        self.max_bytes = max_bytes
        self.clock = clock
        self.sleep = sleep
        connect = self.time_limits.connect.total_seconds()
        self.client = httpx.AsyncClient(
            # connect + TLS + pool stay below the limit of a whole call, so passing that one means: it was sent.
            timeout=httpx.Timeout(self.time_limits.write.total_seconds(), connect=connect, pool=connect),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections // 4),
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "AI-Admin"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.client.aclose()


class CRMConnection:
    """Calls of one account over the shared pool.

    `secrets` never stand in an error's text. `limits` are kept through `pace` before each attempt. `explain` reads a
    vendor's own words in answers with 408, 429 and 5xx: the error that it returns is what the answer means, nothing
    having been done in the CRM; None leaves it to the status. `slow_reads` stretches the time of readings where a CRM
    is known to be slow; a write has the same bound everywhere.
    """

    def __init__(
        self,
        http: CRMHttp,
        *,
        crm: str,
        base_url: str,
        secrets: Sequence[SecretStr],
        pace: Pace,
        limits: Sequence[Limit],
        explain: Callable[[Answer], CRMError | None] | None = None,
        slow_reads: float = 1,
    ) -> None:
        self._http = http
        self._crm = crm
        self._base_url = base_url.rstrip("/")
        self._secrets = tuple(secrets)
        self._pace = pace
        self._limits = tuple(limits)
        self._explain = explain
        limits_of_all = http.time_limits
        self._time_limits = replace(
            limits_of_all,
            read=limits_of_all.read * slow_reads,
            read_with_retries=limits_of_all.read_with_retries * slow_reads,
        )

    async def call(self, call: Call, decode: Callable[[Answer], T]) -> T:
        """Send, and return what `decode` reads from the answer. 429, 408 and 5xx never reach `decode`.

        `decode` raises the CRM's refusals as CRMError, and UnreadableAnswer. A safe call is repeated with jitter while
        that may help, then raises CRMUnavailable or CRMRateLimited. Another is sent once: CRMUnavailable and
        CRMRateLimited mean that nothing was sent, CRMOutcomeUnknown that it may have happened.
        """
        started, outcome = perf_counter(), "cancelled"
        try:
            result = await (self._call_with_retries(call, decode) if call.safe else self._call_once(call, decode))
            outcome = "ok"
        except CRMError as error:
            outcome = error.code
            error.args = tuple(self._redact(str(part), call) for part in error.args)
            raise
        finally:
            CALLS.labels(self._crm, call.operation, outcome).inc()
            SECONDS.labels(self._crm, call.operation).observe(perf_counter() - started)
        return result

    async def _call_with_retries(self, call: Call, decode: Callable[[Answer], T]) -> T:
        budget = self._time_limits.read_with_retries
        failure: CRMError
        try:
            async with asyncio.timeout(budget.total_seconds()):
                async for attempt in AsyncRetrying(
                    stop=stop_after_attempt(ATTEMPTS),
                    wait=_pause,
                    retry=retry_if_exception_type(_Again),
                    sleep=self._http.sleep,
                    reraise=True,
                ):
                    with attempt:
                        return await self._call_once(call, decode)
        except _Again as again:
            failure = again.error
        except TimeoutError:
            failure = CRMUnavailable(f"{call.operation}: no answer within {budget.total_seconds():g} s")
        raise failure  # out here, so that no traceback shows the driver's own words about our headers

    async def _call_once(self, call: Call, decode: Callable[[Answer], T]) -> T:
        await self._wait_for_pace(call)
        answer = await self._send(call)
        where = f"{call.operation}: HTTP {answer.status}"
        passing = answer.status in (408, 429) or answer.status >= 500
        explained = self._explain(answer) if passing and self._explain else None
        if explained is not None:
            raise self._explained(call, explained)
        if answer.status == 429:
            pause = _retry_after(answer.headers, self._http.clock())
            raise self._failure(call, CRMRateLimited(f"{where}: too many calls", retry_after=pause))
        if passing:
            raise self._failure(call, CRMUnavailable(where))
        try:
            return decode(answer)
        except UnreadableAnswer as error:
            failure, may_pass = CRMUnavailable(f"{where}: {error}"), isinstance(error, NotJSON)
        raise self._failure(call, failure) if may_pass or not call.safe else failure

    async def _wait_for_pace(self, call: Call) -> None:
        for limit in self._limits:
            try:
                await self._pace.wait(limit.name, rate=limit.rate, per=limit.per, burst=limit.burst)
            except TimeoutError:
                raise CRMRateLimited(f"{call.operation}: not sent, our own limit {limit.name} is used up") from None

    async def _send(self, call: Call) -> Answer:
        limits = self._time_limits
        try:
            async with asyncio.timeout((limits.read if call.safe else limits.write).total_seconds()):
                return await self._exchange(call)
        except (httpx.HTTPError, TimeoutError, _TooLarge) as error:
            failure = CRMUnavailable(f"{call.operation}: {type(error).__name__} {error}".strip())
            reached = not isinstance(error, NEVER_REACHED)
        raise self._failure(call, failure) if reached or call.safe else failure

    async def _exchange(self, call: Call) -> Answer:
        body = bytearray()
        async with self._http.client.stream(
            call.method,
            self._base_url + call.path,
            params=list(call.params) or None,
            headers=_form_header(call) | dict(call.headers) | _cookie_header(call.cookies),
            json=call.json,
            content=None if call.form is None else urlencode(list(call.form)).encode(),
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._http.max_bytes:
                    raise _TooLarge(f"the answer is over {self._http.max_bytes} bytes")
        cookies = dict(_set_cookies(response.headers.get_list("set-cookie")))
        return Answer(status=response.status_code, headers=response.headers, body=bytes(body), cookies=cookies)

    def _failure(self, call: Call, failure: CRMUnavailable | CRMRateLimited) -> Exception:
        """Return what a failed attempt means once the request may have reached the CRM."""
        if not call.safe:
            return CRMOutcomeUnknown(f"{failure}; it may have happened")
        if isinstance(failure, CRMRateLimited) and (failure.retry_after or LONGEST_PAUSE) > LONGEST_PAUSE:
            return failure
        return _Again(failure)

    def _explained(self, call: Call, error: CRMError) -> Exception:
        """Return what a refusal in the vendor's own words means: a safe call may be repeated, another was not done."""
        if call.safe and isinstance(error, CRMRateLimited | CRMUnavailable):
            return self._failure(call, error)
        return error

    def _redact(self, text: str, call: Call) -> str:
        for hidden in (*(secret.get_secret_value() for secret in self._secrets), *call.private):
            value = hidden.strip()
            if len(value) >= 4:
                for form in (value, quote(value), quote_plus(value)):
                    text = text.replace(form, "***")
        return text


def _form_header(call: Call) -> dict[str, str]:
    return {} if call.form is None else {"Content-Type": "application/x-www-form-urlencoded"}


def _cookie_header(cookies: Mapping[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}


def _set_cookies(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read `Set-Cookie` lines (RFC 6265 5.2): the name and the value, attributes left out."""
    for line in lines:
        name, equals, value = line.partition(";")[0].partition("=")
        if equals and name.strip():
            yield name.strip(), value.strip()


_backoff = wait_exponential_jitter(initial=1, max=LONGEST_PAUSE.total_seconds(), jitter=1)
_jitter = wait_random(0, 0.5)


def _pause(state: RetryCallState) -> float:
    """Return the seconds to wait: what the CRM asked for, else 1, 2, 4, each with jitter."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.error if isinstance(failure, _Again) else None
    if isinstance(asked, CRMRateLimited) and asked.retry_after is not None:
        return asked.retry_after.total_seconds() + _jitter(state)
    return _backoff(state)


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return how long the CRM asks to wait (seconds or an HTTP date, RFC 9110 10.2.3); None where it does not say."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 86_400))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), timedelta(days=1))
