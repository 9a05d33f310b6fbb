"""The shared HTTP client against a server that misbehaves byte by byte."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from crm.errors import CRMError, CRMInvalid, CRMOutcomeUnknown, CRMRateLimited, CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, TimeLimits

TOKEN = "very-secret-token"
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(status: str = "200 OK", body: bytes = b'{"ok": true}', **headers: str) -> Script:
    async def write(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return write


async def cut(writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read ever times out."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def half(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"ok"')
    await writer.drain()


class Server:
    """Answers each request by the next script, the last one again and again."""

    def __init__(self) -> None:
        self.scripts: list[Script] = [reply()]
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
            )
            self.requests.append(head + await reader.readexactly(length))
            self.asked.set()
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            await script(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


@pytest.fixture
def time_limits() -> TimeLimits:
    return TimeLimits(connect=timedelta(seconds=1), read=timedelta(seconds=0.5), write=timedelta(seconds=0.5))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    await server.stop()


Connect = Callable[..., CRMConnection]


@pytest.fixture
def connect(http: CRMHttp, pace: Any, server: Server) -> Connect:
    def make(url: str = "", limits: tuple[Limit, ...] = (), token: str = TOKEN) -> CRMConnection:
        return CRMConnection(
            http, crm="test", base_url=url or server.url, secrets=[SecretStr(token)], pace=pace, limits=limits
        )

    return make


READ = Call(operation="things", method="GET", path="/things", safe=True)
WRITE = Call(operation="make", method="POST", path="/things", safe=False, json={"name": "x"})


def as_json(answer: Answer) -> object:
    return answer.json()


def unused_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("passing", [reply("503 Service Unavailable"), cut, hang, half, drip, reply(body=b"<html>")])
async def test_a_read_that_fails_in_passing_is_repeated_with_growing_pauses(
    connect: Connect, server: Server, pauses: list[float], passing: Script
) -> None:
    server.scripts = [passing, passing, reply()]

    assert await connect().call(READ, as_json) == {"ok": True}

    assert len(server.requests) == 3
    assert 1 <= pauses[0] <= 2
    assert 2 <= pauses[1] <= 3


@pytest.mark.parametrize(
    "failure", [reply("500 Oops"), reply("502 Bad Gateway", b"<html>"), cut, hang, half, reply(body=b"<html>")]
)
async def test_a_read_that_keeps_failing_is_unavailable_after_four_attempts(
    connect: Connect, server: Server, failure: Script
) -> None:
    server.scripts = [failure]

    with pytest.raises(CRMUnavailable):
        await connect().call(READ, as_json)

    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "failure",
    [
        reply("500 Oops"),
        reply("502 Bad Gateway", b"<html>"),
        reply("429 Too Many Requests"),
        reply("408 Request Timeout"),
        reply("201 Created", b"<html>"),
        cut,
        hang,
        half,
        drip,
    ],
)
async def test_a_write_that_may_have_reached_the_crm_is_sent_once_and_its_outcome_unknown(
    connect: Connect, server: Server, failure: Script
) -> None:
    server.scripts = [failure]

    with pytest.raises(CRMOutcomeUnknown):
        await connect().call(WRITE, as_json)

    assert len(server.requests) == 1


@pytest.mark.parametrize("call", [READ, WRITE])
async def test_a_refused_connection_is_unavailable_for_reads_and_for_writes(connect: Connect, call: Call) -> None:
    with pytest.raises(CRMUnavailable):
        await connect(unused_url()).call(call, as_json)


@pytest.mark.parametrize(
    ("throttled", "least", "most"),
    [
        (reply("429 Too Many Requests"), 1, 2),
        (reply("429 Too Many Requests", Retry_After="3"), 3, 3.5),
        (reply("429 Too Many Requests", Retry_After="Mon, 02 Mar 2026 09:00:05 GMT"), 5, 5.5),
        (reply("429 Too Many Requests", Retry_After="soon"), 1, 2),
    ],
)
async def test_a_throttled_read_waits_as_long_as_the_crm_asks(
    connect: Connect, server: Server, pauses: list[float], throttled: Script, least: float, most: float
) -> None:
    server.scripts = [throttled, reply()]

    assert await connect().call(READ, as_json) == {"ok": True}

    assert least <= pauses[0] <= most


async def test_a_long_retry_after_is_handed_to_the_caller_at_once(
    connect: Connect, server: Server, pauses: list[float]
) -> None:
    server.scripts = [reply("429 Too Many Requests", Retry_After="120")]

    with pytest.raises(CRMRateLimited) as caught:
        await connect().call(READ, as_json)

    assert caught.value.retry_after == timedelta(seconds=120)
    assert pauses == []


async def test_throttling_without_an_end_is_rate_limited_without_a_term(connect: Connect, server: Server) -> None:
    server.scripts = [reply("429 Too Many Requests")]

    with pytest.raises(CRMRateLimited) as caught:
        await connect().call(READ, as_json)

    assert caught.value.retry_after is None
    assert len(server.requests) == 4


@pytest.mark.parametrize("zipped", [False, True])
async def test_an_answer_over_the_size_limit_is_not_read(connect: Connect, server: Server, zipped: bool) -> None:
    body = json.dumps("x" * 1_000_000).encode()
    server.scripts = [reply(body=gzip.compress(body), Content_Encoding="gzip") if zipped else reply(body=body)]

    with pytest.raises(CRMUnavailable, match="over 500000 bytes"):
        await connect().call(READ, as_json)


async def test_the_pace_is_asked_before_every_attempt(connect: Connect, server: Server, pace: Any) -> None:
    limits = (
        Limit(name="test:second", rate=4, per=timedelta(seconds=1), burst=1),
        Limit(name="test:minute", rate=180, per=timedelta(minutes=1), burst=20),
    )
    server.scripts = [cut, reply()]

    await connect(limits=limits).call(READ, as_json)

    once = [("test:second", 4, timedelta(seconds=1), 1), ("test:minute", 180, timedelta(minutes=1), 20)]
    assert pace.asked == once * 2


@pytest.mark.parametrize("call", [READ, WRITE])
async def test_a_used_up_pace_is_rate_limited_and_nothing_is_sent(
    connect: Connect, server: Server, pace: Any, call: Call
) -> None:
    pace.used_up = True
    limits = (Limit(name="test:second", rate=4, per=timedelta(seconds=1), burst=1),)

    with pytest.raises(CRMRateLimited):
        await connect(limits=limits).call(call, as_json)

    assert server.requests == []


def refuse(answer: Answer) -> object:
    raise CRMInvalid(answer.body.decode())


async def test_credentials_and_private_values_never_stand_in_an_error(connect: Connect, server: Server) -> None:
    echo = f"no: {TOKEN}, +79161234567, %2B79161234567".encode()
    server.scripts = [reply("400 Bad Request", echo)]
    call = Call(operation="x", method="GET", path="/x", safe=True, private=("+79161234567",))

    with pytest.raises(CRMInvalid) as caught:
        await connect().call(call, refuse)

    assert str(caught.value) == "no: ***, ***, ***"


async def test_a_token_that_is_no_header_value_leaks_into_no_traceback(connect: Connect) -> None:
    call = Call(operation="x", method="GET", path="/x", safe=True, headers={"Authorization": f"Bearer {TOKEN}\n"})

    with pytest.raises(CRMError) as caught:
        await connect(token=TOKEN + "\n").call(call, as_json)

    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in shown


async def test_cookies_of_one_call_are_not_sent_with_the_next(connect: Connect, server: Server) -> None:
    server.scripts = [reply(Set_Cookie="session=of-another-company; Path=/")]

    await connect().call(READ, as_json)
    await connect().call(READ, as_json)

    assert b"cookie" not in server.requests[1].lower()


def count(outcome: str, operation: str = "things") -> float:
    labels = {"crm": "test", "operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("ai_admin_crm_calls_total", labels) or 0


async def test_each_operation_is_counted_once_with_its_outcome_and_timed(connect: Connect, server: Server) -> None:
    server.scripts = [cut, reply(), reply(), reply("400 Bad Request"), cut]
    before = {outcome: count(outcome) for outcome in ("ok", "crm_invalid", "crm_unavailable")}
    timed = {"crm": "test", "operation": "things"}
    times = REGISTRY.get_sample_value("ai_admin_crm_call_seconds_count", timed) or 0

    await connect().call(READ, as_json)
    await connect().call(READ, as_json)
    with pytest.raises(CRMInvalid):
        await connect().call(READ, refuse)
    with pytest.raises(CRMUnavailable):
        await connect().call(READ, as_json)

    assert count("ok") - before["ok"] == 2
    assert count("crm_invalid") - before["crm_invalid"] == 1
    assert count("crm_unavailable") - before["crm_unavailable"] == 1
    assert REGISTRY.get_sample_value("ai_admin_crm_call_seconds_count", timed) == times + 4


async def test_a_cancelled_call_stays_cancelled(connect: Connect, server: Server) -> None:
    server.scripts = [hang]
    task = asyncio.create_task(connect().call(WRITE, as_json))
    await server.asked.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
