"""Bot objects, made on demand and kept in a bounded cache over one shared HTTP session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from pydantic import SecretStr

from db.records import Channel

_TIMEOUT_S = 20
_CONNECTIONS = 200


class Bots:
    """`open_secrets` decrypts a channel's secrets; the bot keeps its token in this process's memory only."""

    def __init__(
        self,
        open_secrets: Callable[[Channel], Mapping[str, SecretStr]],
        *,
        api_url: str | None = None,
        most: int = 10_000,
    ) -> None:
        self._open_secrets = open_secrets
        self._session = AiohttpSession(
            api=TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION, limit=_CONNECTIONS, timeout=_TIMEOUT_S
        )
        self._most = most
        self._bots: OrderedDict[tuple[object, str], Bot] = OrderedDict()

    def get(self, channel: Channel) -> Bot:
        """Return the channel's bot. A changed token changes the ciphertext, and with it the key."""
        key = (channel.id, channel.secrets)
        bot = self._bots.get(key)
        if bot is None:
            bot = self.open(self._open_secrets(channel)["token"])
            self._bots[key] = bot
            if len(self._bots) > self._most:
                self._bots.popitem(last=False)
        self._bots.move_to_end(key)
        return bot

    def open(self, token: SecretStr) -> Bot:
        """Make a bot for a token that belongs to no channel yet (the command line checks it with getMe)."""
        return Bot(token.get_secret_value(), session=self._session)

    async def close(self) -> None:
        await self._session.close()
