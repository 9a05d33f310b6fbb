"""Reading a request's body: bounded in size, whatever its header says, and in time."""

from __future__ import annotations

import asyncio

from aiohttp import web

BODY_S = 15.0
"""How long a body may take from its headers on; a messenger sends it in one piece."""


async def read_body(request: web.Request, *, most: int, within: float = BODY_S) -> bytes:
    """Return the body. Raises 413 for more than `most` bytes, without reading on, and 408 where it does not come."""
    refuse_large(request, most=most)
    if request.content.is_eof():
        # It came in one piece with its headers, as almost all do: there is nothing to wait for.
        whole = request.content.read_nowait()
        _refuse_over(most, len(whole))
        return whole
    body = bytearray()
    try:
        async with asyncio.timeout(within):
            async for chunk in request.content.iter_any():
                body += chunk
                _refuse_over(most, len(body))
    except TimeoutError:
        raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None
    return bytes(body)


def refuse_large(request: web.Request, *, most: int) -> None:
    """Raise 413 for a body that says itself that it is too large: before anything else is asked or looked up."""
    _refuse_over(most, request.content_length or 0)


def _refuse_over(most: int, size: int) -> None:
    if size > most:
        raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=size)
