"""How far the widget may be used just now: after two answers that nobody could read, not at all for half an hour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from prometheus_client import Counter

from crm.base import Cache
from crm.dikidi import LINK
from crm.dikidi.access import Access
from crm.dikidi.refusals import Challenged, Surprised
from crm.errors import CRMUnsupported

T = TypeVar("T")
log = structlog.get_logger()

MOST_FAILURES = 2
REST = timedelta(minutes=30)
DROPS = Counter("ai_admin_crm_mode_drops", "Accounts that fell back to giving the booking page only.", ["crm"])


class Standing:
    """Shared by all processes through the cache. `mode` is what `learn` found last."""

    def __init__(self, access: Access, cache: Cache) -> None:
        self._set = access.mode
        self._company = access.company_id
        self._cache = cache
        self._key = f"{access.scope}:failures"
        self.mode = access.mode

    @property
    def dropped(self) -> bool:
        return self.mode != self._set

    async def learn(self) -> None:
        """Look how it stands now."""
        failures = await self._cache.get(self._key) if self._set != LINK else None
        self.mode = LINK if failures is not None and int(failures) >= MOST_FAILURES else self._set

    async def watch(self, use: Callable[[], Awaitable[T]]) -> T:
        """Use the widget, and count what cannot be read. Raises CRMUnsupported where it may not be used just now."""
        await self.learn()
        if self.mode == LINK:
            raise CRMUnsupported("dikidi: only the booking page is given" + (", for a while" if self.dropped else ""))
        try:
            result = await use()
        except (Challenged, Surprised) as error:
            await self._count(error)
            raise
        await self._cache.delete(self._key)
        return result

    async def _count(self, error: Challenged | Surprised) -> None:
        failures = int(await self._cache.get(self._key) or "0") + 1
        await self._cache.set(self._key, str(failures), ttl=REST)
        if failures == MOST_FAILURES:
            self.mode = LINK
            DROPS.labels("dikidi").inc()
            log.error("crm_mode_dropped", crm="dikidi", account=self._company, until="in 30 minutes", error=str(error))
