"""The Messengers port: where else a caller can be written to, and how often a code may go there."""

from __future__ import annotations

from datetime import timedelta

from db.clients import Clients
from db.directory import Directory
from db.engine import Database
from db.limits import Budget, RateLimits
from db.records import ChannelStatus, ChannelType, Dialogue

_WRITTEN = frozenset({ChannelType.TELEGRAM, ChannelType.WHATSAPP})
_CODES = Budget(rate=3, per=timedelta(hours=1), burst=3)
"""Of one number: whoever forges it can neither flood its owner nor try many digits."""


class KnownMessengers:
    def __init__(self, database: Database, clients: Clients, directory: Directory, limits: RateLimits) -> None:
        self._database = database
        self._clients = clients
        self._directory = directory
        self._limits = limits

    async def find(self, dialogue: Dialogue, phone: str) -> Dialogue | None:
        """Return the dialogue of this number's proved owner in a messenger of the same company; None: there is none."""
        channels = [
            one.id
            for one in await self._directory.list_channels(dialogue.company_id)
            if one.type in _WRITTEN and one.status is ChannelStatus.ACTIVE
        ]
        async with self._database.company(dialogue.company_id) as tx:
            return await self._clients.find_messenger(tx, phone, channels)

    async def may_send_code(self, dialogue: Dialogue, phone: str) -> bool:
        """Count one more code to this number; False: it is too many."""
        return await self._limits.spend(f"call-code:{dialogue.company_id}:{phone}", _CODES, strict=True) is None
