"""The access line says whose request it was; the next one on the same connection knows nothing of it."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import LogCapture

from middlewares.http import errors_as_json, request_log


async def test_what_a_handler_learns_stands_in_its_own_access_line_alone():
    async def knows(request):
        structlog.contextvars.bind_contextvars(company_id="c1")
        if request.query:
            raise web.HTTPUnauthorized
        return web.Response()

    async def knows_nothing(request):
        return web.Response()

    application = web.Application(middlewares=[request_log(), errors_as_json])
    application.router.add_get("/knows", knows)
    application.router.add_get("/nothing", knows_nothing)
    kept, written = structlog.get_config(), LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, written])
    try:
        async with TestClient(TestServer(application)) as client:
            for path in ("/knows", "/nothing", "/knows?wrong=1", "/nowhere/at/all"):
                await (await client.get(path)).read()
    finally:
        structlog.configure(**kept)

    lines = [line for line in written.entries if line["event"] == "request"]
    assert [(line["route"], line["status"], line.get("company_id")) for line in lines] == [
        ("/knows", 200, "c1"),
        ("/nothing", 200, None),
        ("/knows", 401, "c1"),
        ("unknown", 404, None),
    ]
    assert all(line["took_ms"] >= 0 and line["request_id"] for line in lines)
    assert len({line["request_id"] for line in lines}) == len(lines)
