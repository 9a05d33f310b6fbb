"""Whether a base takes the key that a new document is sent with: stated by the mapping, or learnt by booking.

The platform's documents promise code 15 for a key that is there already (17.4.10), and say nothing of keys sent with a
POST. It cannot be tried without leaving a document behind, so nothing tries it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from uuid import uuid5

from crm.base import Cache
from crm.one_c.odata.clients import OURS

State = Literal["honoured", "ignored", "unknown"]
REMEMBERED = timedelta(days=90)


class OwnKeys:
    def __init__(self, cache: Cache, scope: str, stated: State) -> None:
        self._cache = cache
        self._name = f"{scope}:own_keys"
        self.stated = stated

    @staticmethod
    def key_of(external_id: str) -> str:
        """Return the key of the document that carries our external id: the same one whenever it is asked for."""
        return str(uuid5(OURS, f"appointment:{external_id}"))

    async def known(self) -> State:
        if self.stated != "unknown":
            return self.stated
        kept = await self._cache.get(self._name)
        return "honoured" if kept == "honoured" else "ignored" if kept == "ignored" else "unknown"

    async def learn(self, *, honoured: bool) -> None:
        await self._cache.set(self._name, "honoured" if honoured else "ignored", ttl=REMEMBERED)
