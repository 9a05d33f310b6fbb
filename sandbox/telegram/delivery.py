"""How Telegram brings updates to a webhook: a chat in order, chats side by side, again until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from sandbox.telegram.state import Bot, Json, State

_LONGEST_DELAY_S = 60.0
_ANSWER_LIMIT = aiohttp.ClientTimeout(total=60)


class Delivery:
    """One task that looks for due updates, and one for each update under way; all are ended by `stop`."""

    def __init__(
        self, state: State, execute: Callable[[Bot, str, Json], Awaitable[Any]], *, retry_base_s: float
    ) -> None:
        self._state = state
        self._execute = execute
        self._base = retry_base_s
        self._session: aiohttp.ClientSession | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._sending: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_ANSWER_LIMIT)
        self._loop_task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        tasks = [task for task in (self._loop_task, *self._sending.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _run(self) -> None:
        while True:
            async with self._state.changed:
                await self._state.changed.wait_for(self._something_due)
            for bot in list(self._state.bots.values()):
                for chat_id in self._due_chats(bot):
                    if (bot.id, chat_id) not in self._sending:
                        task = asyncio.create_task(self._send_chat(bot, chat_id))
                        self._sending[bot.id, chat_id] = task
            await asyncio.sleep(0)

    def _something_due(self) -> bool:
        return any(
            (bot.id, chat_id) not in self._sending
            for bot in self._state.bots.values()
            for chat_id in self._due_chats(bot)
        )

    def _due_chats(self, bot: Bot) -> list[int]:
        if not bot.webhook.url:
            return []
        busy = sum(1 for bot_id, _ in self._sending if bot_id == bot.id)
        chats = list(dict.fromkeys(chat_of(update) for update in bot.updates))
        waiting = [chat for chat in chats if (bot.id, chat) not in self._sending]
        return waiting[: max(0, bot.webhook.max_connections - busy)]

    async def _send_chat(self, bot: Bot, chat_id: int) -> None:
        """Bring one chat's updates in order; a refused one holds up those behind it."""
        failures = 0
        try:
            while bot.webhook.url:
                update = next((one for one in bot.updates if chat_of(one) == chat_id), None)
                if update is None:
                    return
                if await self._post(bot, update):
                    failures = 0
                    if update in bot.updates:
                        bot.updates.remove(update)
                        bot.delivered.append(update)
                else:
                    failures += 1
                    await asyncio.sleep(min(_LONGEST_DELAY_S, self._base * 2 ** (failures - 1)))
        finally:
            self._sending.pop((bot.id, chat_id), None)
            await self._state.tell()

    async def _post(self, bot: Bot, update: Json) -> bool:
        """Say whether the webhook took it. A method in its answer is carried out, as the Bot API promises."""
        assert self._session is not None  # noqa: S101
        secret = bot.webhook.secret_token
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            async with self._session.post(bot.webhook.url, json=update, headers=headers) as response:
                if 200 <= response.status < 300:
                    body = await response.json() if response.content_type == "application/json" else {}
                    if isinstance(body, dict) and "method" in body:
                        await self._execute(bot, str(body.pop("method")).lower(), body)
                    return True
                problem = f"Wrong response from the webhook: {response.status} {response.reason}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = f"Connection failed: {type(error).__name__}"
        bot.webhook.last_error_date = self._state.now()
        bot.webhook.last_error_message = problem
        return False


def chat_of(update: Json) -> int:
    """Return the chat of an update; 0 for one of no chat."""
    for name, event in update.items():
        if name != "update_id" and isinstance(event, dict):
            chat = event.get("chat") or (event.get("message") or {}).get("chat")
            return int(chat["id"]) if isinstance(chat, dict) and "id" in chat else 0
    return 0
