"""What the intake is measured against: servers that do less, or do it as other frameworks document it.

`python -m bench.floors NAME PORT` serves until it is stopped, on uvloop like the gateway.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web

BOTS = 100
TABLE = "CREATE TABLE IF NOT EXISTS bench_updates (id bigint, body jsonb)"


def bot_token(number: int) -> str:
    """Return a token of a bot that does not exist."""
    return f"{700_000_000 + number}:{'A' * 35}"


def ok() -> web.Application:
    """Read the body, answer 200: the least that an aiohttp server can do."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({})

    return _application(answer)


def insert() -> web.Application:
    """Parse the body and commit one row with asyncpg for each request."""
    import asyncpg

    async def answer(request: web.Request) -> web.Response:
        update = json.loads(await request.read())
        await request.app[_POOL].execute(
            "INSERT INTO bench_updates (id, body) VALUES ($1, $2)", update["update_id"], json.dumps(update)
        )
        return web.json_response({})

    async def pool(application: web.Application) -> AsyncIterator[None]:
        application[_POOL] = await asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=10, max_size=10)
        yield
        await application[_POOL].close()

    application = _application(answer)
    application.cleanup_ctx.append(pool)
    return application


def aiogram() -> web.Application:
    """aiogram's own handler for many bots, with an empty handler: it stores nothing.

    https://docs.aiogram.dev/en/latest/dispatcher/webhook.html#aiogram.webhook.aiohttp_server.TokenBasedRequestHandler
    """
    from aiogram import Dispatcher
    from aiogram.webhook.aiohttp_server import TokenBasedRequestHandler, setup_application

    dispatcher = Dispatcher()

    @dispatcher.message()
    async def nothing(_: Any) -> None:
        return

    application = web.Application()
    TokenBasedRequestHandler(dispatcher, handle_in_background=False).register(application, path="/{bot_token}")
    setup_application(application, dispatcher)
    return application


def ptb() -> Callable[..., Any]:
    """python-telegram-bot's documented custom webhook server: Starlette under uvicorn, updates put into its queue.

    https://docs.python-telegram-bot.org/en/stable/examples.customwebhookbot.html
    """
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from telegram import Update
    from telegram.ext import Application

    bots = Application.builder().token(bot_token(0)).updater(None).build()

    async def answer(request: Request) -> Response:
        await bots.update_queue.put(Update.de_json(data=await request.json(), bot=bots.bot))
        # Its own worker would take them out again; unbounded, the queue would be what is measured.
        bots.update_queue.get_nowait()
        return Response()

    return Starlette(routes=[Route("/{rest:path}", answer, methods=["POST"])])


_POOL: web.AppKey[Any] = web.AppKey("pool")


def _application(answer: Callable[[web.Request], Any]) -> web.Application:
    application = web.Application()
    application.router.add_post("/{rest:.*}", answer)
    return application


def main(name: str, port: int) -> None:
    import uvloop

    uvloop.install()
    if name == "ptb":
        import uvicorn

        uvicorn.run(ptb(), host="127.0.0.1", port=port, log_level="error", access_log=False)
        return
    made = {"ok": ok, "insert": insert, "aiogram": aiogram}[name]()
    web.run_app(made, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
