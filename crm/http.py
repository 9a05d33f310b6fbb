"""One HTTP client for all CRMs: time limits, retries of safe calls, pacing, redaction, size limits, metrics."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, quote_plus, urlencode

import httpx
from pydantic import SecretStr, TypeAdapter, ValidationError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from crm.account import Clock
from crm.addresses import Reach
from crm.again import ATTEMPTS, LONGEST_PAUSE, Again, pause_before, retry_after_of
from crm.counting import Counted, count_for_nobody, counting
from crm.errors import CRMError, CRMOutcomeUnknown, CRMRateLimited, CRMUnavailable
from crm.guard import Caller, Guard, NoBreaker
from crm.lines import DIRECT, Gates, Line, Pool, line_of
from crm.ports import Breaker, Pace
from crm.ports import Limit as Limit
from crm.purpose import current_purpose

T = TypeVar("T")

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


class CRMHttp:
    """The connections shared by all companies, a pool for each outgoing address; `of` is what one account sees of them.

    `lines` are the outgoing addresses, none: this machine's own. A host takes a quarter of a pool at most. `reach` says
    where companies' addresses may lead, none: to the public internet only.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        time_limits: TimeLimits | None = None,
        max_bytes: int = 8 * 1024 * 1024,
        max_connections: int = 100,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lines: Sequence[Line] = (),
        breaker: Breaker | None = None,
        reach: Reach | None = None,
        counted: Counted = count_for_nobody,
    ) -> None:
        self.counted = counted
        self.time_limits = time_limits or TimeLimits()
        self.max_bytes = max_bytes
        self.clock = clock
        self.sleep = sleep
        self.line = DIRECT
        self.company = ""
        self._lines = tuple(lines) or (DIRECT,)
        self._breaker = breaker or NoBreaker()
        self.guard = Guard(self._breaker)
        self._gates = Gates()
        connect = self.time_limits.connect.total_seconds()
        # connect + TLS + pool stay below the limit of a whole call, so passing that one means: it was sent.
        timeout = httpx.Timeout(self.time_limits.write.total_seconds(), connect=connect, pool=connect)
        tls = httpx.create_ssl_context(trust_env=False)
        self._pools = {
            line.name: Pool(
                line,
                reach=reach or Reach(),
                timeout=timeout,
                tls=tls,
                most=max_connections,
                per_host=max(1, max_connections // 4),
            )
            for line in {*self._lines, DIRECT}
        }

    def of(self, caller: Caller) -> Self:
        """Return the same pools as one account uses them: over its company's line, and calm."""
        view = copy(self)
        view.company = caller.company
        view.line = line_of(self._lines, caller.company)
        view.guard = Guard(self._breaker, caller.account)
        return view

    @property
    def pool(self) -> Pool:
        return self._pools[self.line.name]

    def gate(self, name: str, *, at_once: int) -> asyncio.Semaphore:
        """Return what lets so many callers through at once: the same one to all who name it while one of them lives."""
        return self._gates.get(name, at_once=at_once)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.client.aclose()


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
        with counting(self._crm, call.operation, company=self._http.company, counted=self._http.counted):
            try:
                return await (self._call_with_retries(call, decode) if call.safe else self._call_once(call, decode))
            except CRMError as error:
                error.args = tuple(self._redact(str(part), call) for part in error.args)
                raise

    async def _call_with_retries(self, call: Call, decode: Callable[[Answer], T]) -> T:
        budget = self._time_limits.read_with_retries
        failure: CRMError
        try:
            async with asyncio.timeout(budget.total_seconds()):
                async for attempt in AsyncRetrying(
                    stop=stop_after_attempt(ATTEMPTS),
                    wait=pause_before,
                    retry=retry_if_exception_type(Again),
                    sleep=self._http.sleep,
                    reraise=True,
                ):
                    with attempt:
                        return await self._call_once(call, decode)
        except Again as again:
            failure = again.error
        except TimeoutError:
            failure = CRMUnavailable(f"{call.operation}: no answer within {budget.total_seconds():g} s")
        raise failure  # out here, so that no traceback shows the driver's own words about our headers

    async def _call_once(self, call: Call, decode: Callable[[Answer], T]) -> T:
        """Make one attempt where the account's CRM is not left in peace, in its company's turn."""
        guard = self._http.guard
        admission = await guard.admit(self._crm, call.operation)
        await self._wait_for_pace(call)
        async with self._place(call):
            try:
                result = await self._ask(call, decode)
            except (CRMError, Again) as error:
                await guard.heard(call.operation, admission, error.error if isinstance(error, Again) else error)
                raise
            await guard.heard(call.operation, admission, None)
        return result

    async def _ask(self, call: Call, decode: Callable[[Answer], T]) -> T:
        answer = await self._send(call)
        where = f"{call.operation}: HTTP {answer.status}"
        passing = answer.status in (408, 429) or answer.status >= 500
        explained = self._explain(answer) if passing and self._explain else None
        if explained is not None:
            raise self._explained(call, explained)
        if answer.status == 429:
            pause = retry_after_of(answer.headers, self._http.clock())
            raise self._failure(call, CRMRateLimited(f"{where}: too many calls", retry_after=pause))
        if passing:
            raise self._failure(call, CRMUnavailable(where))
        try:
            return decode(answer)
        except UnreadableAnswer as error:
            failure, may_pass = CRMUnavailable(f"{where}: {error}"), isinstance(error, NotJSON)
        raise self._failure(call, failure) if may_pass or not call.safe else failure

    async def _wait_for_pace(self, call: Call) -> None:
        if not self._limits:
            return
        http = self._http
        try:
            await self._pace.wait(
                self._limits, line=http.line.name, company=http.company, ahead=current_purpose().ahead
            )
        except TimeoutError:
            names = ", ".join(limit.name for limit in self._limits)
            raise CRMRateLimited(f"{call.operation}: not sent, our own limit is used up ({names})") from None

    @asynccontextmanager
    async def _place(self, call: Call) -> AsyncIterator[None]:
        """Hold a connection's place. That our own are all in use says nothing of the CRM, and nothing was sent."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._http.pool.place(self._base_url))
            except TimeoutError:
                raise CRMUnavailable(f"{call.operation}: not sent, no connection came free") from None
            yield

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
        async with self._http.pool.client.stream(
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
        return Again(failure)

    def _explained(self, call: Call, error: CRMError) -> Exception:
        """Return what a refusal in the vendor's own words means: a safe call may be repeated, another was not done."""
        if call.safe and isinstance(error, CRMRateLimited | CRMUnavailable):
            return self._failure(call, error)
        return error

    def _redact(self, text: str, call: Call) -> str:
        line = self._http.line.proxy
        secrets = (*self._secrets, line) if line else self._secrets
        for hidden in (*(secret.get_secret_value() for secret in secrets), *call.private):
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
