"""What a connection may take of us, by raw sockets: slow heads, large ones, slow bodies, idleness, and numbers."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from bot.connections import Doorkeeper, DoorLimits
from bot.gateway import Gateway, build_application
from handlers.body import read_body

SOON = DoorLimits(head=0.15, idle=0.15, linger=0.1, most=50, most_of_one=40)


@pytest.fixture
async def door():
    """A gateway with one route; `limits` may be others. Yields what opens connections."""
    started: list[Gateway] = []
    writers: list[asyncio.StreamWriter] = []

    async def read(request: web.Request) -> web.Response:
        body = await read_body(request, most=1000, within=0.15)
        return web.json_response({"bytes": len(body)})

    async def start(limits: DoorLimits = SOON, **more):
        gateway = Gateway(build_application([web.post("/", read)]), host="127.0.0.1", port=0, limits=limits, **more)
        started.append(gateway)
        port = int((await gateway.start()).rsplit(":", 1)[1])

        async def connect(sent: bytes = b"") -> asyncio.StreamReader:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            reader.writer = writer
            writer.write(sent)
            return reader

        return connect

    yield start
    for writer in writers:
        writer.close()
    for gateway in started:
        await gateway.stop()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Return all until the connection is closed; fails where it stays open."""
    async with asyncio.timeout(5):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, object]]:
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if b"content-length" in line)
        return int(head.split()[1]), json.loads(await reader.readexactly(length))


POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"


async def test_who_says_nothing_is_closed(door):
    connect = await door()

    assert await rest(await connect()) == b""


async def test_a_head_that_comes_byte_by_byte_is_closed_in_time_however_busily_it_comes(door):
    connect = await door(DoorLimits(head=0.15, idle=60))
    reader = await connect()

    async def drip():
        for byte in b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 10_000:
            reader.writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

    dripping = asyncio.create_task(drip())
    assert await rest(reader) == b""
    dripping.cancel()


async def test_a_second_slow_head_on_a_good_connection_is_closed_too(door):
    connect = await door(DoorLimits(head=0.15, idle=60))
    reader = await connect(POST)
    assert await answer(reader) == (200, {"bytes": 2})

    reader.writer.write(b"POST / HT")
    assert await rest(reader) == b""


async def test_a_connection_between_requests_is_closed_when_idle_and_not_before(door):
    connect = await door(DoorLimits(head=0.05, idle=0.4))
    reader = await connect(POST)
    await answer(reader)
    await asyncio.sleep(0.15)
    reader.writer.write(POST)

    assert (await answer(reader))[0] == 200, "idle longer than a head may take, and still welcome"
    assert await rest(reader) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"POST /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 9000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(100)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["long line", "large field", "many fields", "no http", "two lengths", "length and chunks"],
)
async def test_a_head_that_is_too_large_or_ambiguous_is_refused_in_our_shape_and_repeats_nothing(door, head, caplog):
    connect = await door(DoorLimits())
    reader = await connect(head)
    status, body = await answer(reader)

    assert (status, body) == (400, {"error": {"code": "bad_request", "message": "Bad Request"}})
    assert await rest(reader) == b""
    assert "aaaa" not in caplog.text


async def test_a_large_head_that_never_ends_is_not_kept_whole(door):
    connect = await door(DoorLimits(head=60))
    reader = await connect(b"POST / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 100_000)

    assert (await answer(reader))[0] == 400


async def test_a_body_that_does_not_come_is_not_waited_for(door):
    connect = await door()
    reader = await connect(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nthe beginning")
    status, body = await answer(reader)

    assert (status, body["error"]["code"]) == (408, "timeout")
    assert await rest(reader) == b""


async def test_a_body_in_chunks_is_bounded_as_one_with_a_length_is(door):
    connect = await door()
    chunks = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"64\r\n" + b"x" * 100 + b"\r\n") * 20
    )
    reader = await connect(chunks)
    status, body = await answer(reader)

    assert (status, body["error"]["code"]) == (413, "too_large")
    assert await rest(reader) == b""


async def test_a_body_that_grows_when_it_is_unpacked_is_bounded_by_what_it_grows_to(door):
    import gzip

    packed = gzip.compress(b"\0" * 5_000_000)
    connect = await door()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    reader = await connect(head + b"%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n")

    assert (await answer(reader))[0] in (400, 413)


async def test_connections_over_the_number_are_closed_and_those_within_are_served(door):
    connect = await door(DoorLimits(head=60, most=5, most_of_one=100))
    within = [await connect(POST) for _ in range(5)]
    assert [(await answer(reader))[0] for reader in within] == [200] * 5

    assert await rest(await connect(POST)) == b""
    within[0].writer.close()
    await within[0].writer.wait_closed()
    async with asyncio.timeout(5):
        while not (heard := await rest_of_head(await connect(POST))):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert b" 200 " in heard


async def rest_of_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


async def test_one_address_does_not_take_all_connections_unless_it_forwards_for_others(door):
    connect = await door(DoorLimits(head=60, most=100, most_of_one=2))
    assert [(await answer(await connect(POST)))[0] for _ in range(2)] == [200, 200]
    assert await rest(await connect(POST)) == b""

    connect = await door(DoorLimits(head=60, most=100, most_of_one=2), is_proxy=lambda peer: peer == "127.0.0.1")
    assert [(await answer(await connect(POST)))[0] for _ in range(4)] == [200] * 4


def test_a_doorkeeper_forgets_who_has_left():
    keeper = Doorkeeper(DoorLimits(most=2, most_of_one=1), lambda peer: False)

    assert keeper.admit("a") is None
    assert keeper.admit("a") == "too_many_of_one"
    keeper.leave("a")
    assert keeper.admit("b") is None
    assert keeper.admit("c") == "too_many"
    for peer in ("a", "b", "c"):
        keeper.leave(peer)
    assert keeper.admit("a") is None
