"""Bodies in and answers out: size limit, JSON, server-sent events, and the ways a connection fails on request."""

import json
from typing import Any

from aiohttp import web

from sandbox.gemini.faults import Fault, FaultKind
from sandbox.gemini.wire import Json, invalid

MAX_BODY = 20 * 1024 * 1024  # Google's documented limit of a request with inline data


async def read_body(request: web.Request) -> bytes:
    """Read the whole body; raises the API's own refusal when it is over the limit."""
    # Not request.read(): within another application its own, smaller limit would count.
    raw = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise invalid(f"Request payload size exceeds the limit: {MAX_BODY} bytes.")
    return bytes(raw)


def decode_object(raw: bytes) -> Any:
    """Parse a body that has to be a JSON object; raises GeminiError when it is not."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    return body


def sse_event(document: Json) -> bytes:
    """Write one server-sent event, ended as Google ends it."""
    return f"data: {json.dumps(document, ensure_ascii=False)}\r\n\r\n".encode()


async def send_pieces(request: web.Request, pieces: list[bytes], kind: str, fault: Fault | None) -> web.StreamResponse:
    """Write the pieces one by one; a fault of the connection or the stream happens after the first."""
    cut = fault is not None and fault.kind is FaultKind.CUT
    if fault is not None and fault.kind is FaultKind.STREAM_ERROR and (error := fault.error()):
        pieces = [*pieces[:1], sse_event(error.body())]
    response = web.StreamResponse(headers={"Content-Type": f"{kind}; charset=utf-8"})
    if kind == "application/json":
        response.content_length = sum(len(one) for one in pieces)
    await response.prepare(request)
    for index, piece in enumerate(pieces):
        await response.write(piece[: len(piece) // 2] if cut and (index or len(pieces) == 1) else piece)
        if cut and (index or len(pieces) == 1):
            if request.transport is not None:
                request.transport.close()
            return response
    await response.write_eof()
    return response
