"""A call's socket: the first frame, the frames that follow, the frames that go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from aiohttp import WSMsgType, web

from handlers.voice import frames
from handlers.voice.line import Send

log = structlog.get_logger()

SETUP_S = 5.0
"""How long an open stream may be silent about whose it is."""


async def read_setup(socket: web.WebSocketResponse) -> frames.Setup | None:
    """Return the first frame; None where it is none, or does not come."""
    try:
        async with asyncio.timeout(SETUP_S):
            first = await socket.receive()
    except TimeoutError:
        return None
    frame = frames.read(first.data) if first.type is WSMsgType.TEXT else None
    return frame if isinstance(frame, frames.Setup) else None


def sender(socket: web.WebSocketResponse) -> Send:
    """Return what puts frames onto the line."""

    async def send(frame: frames.Frame) -> None:
        # A line that is gone hears nothing: its end is noticed where frames are read.
        if not socket.closed:
            try:
                await socket.send_json(dict(frame))
            except ConnectionError:
                log.info("line_is_gone")

    return send


async def incoming(socket: web.WebSocketResponse) -> AsyncIterator[frames.Incoming]:
    """Yield what comes in, until the socket is closed; what cannot be read is passed over."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        frame = frames.read(message.data)
        if frame is None:
            log.warning("frame_unreadable", size=len(message.data))
        elif not isinstance(frame, frames.Setup):
            yield frame
