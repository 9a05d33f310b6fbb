"""Where CRMs knock: a hint that something was changed there. It is unsigned and sent once, so it is only kept.

Whoever knows the address may say what they like: nothing of it is believed but which records to read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from aiohttp import web
from prometheus_client import Counter

from crm.base import Hook
from db.crm_events import CrmEvents
from db.directory import Directory
from db.limits import Ask, Budget, RateLimits
from db.records import CompanyId
from handlers.body import read_body, refuse_large
from orchestration.messages import storable
from orchestration.ports import Clock

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024
MOST_HEADERS, LONGEST_HEADER = 20, 512
HOOKS = Counter("ai_admin_crm_hooks", "Webhooks of CRMs at the door.", ["outcome"])
PER_BRANCH = Budget(rate=10, per=timedelta(seconds=1), burst=100)
PER_ADDRESS = Budget(rate=200, per=timedelta(seconds=1), burst=2000)
"""A vendor's own addresses tell of all its customers."""

Proves = Callable[[CompanyId, Hook], Awaitable[bool]]
"""Says whether a hint carries what the company's CRM has to carry; True where nothing is set."""


class CrmHooks:
    """Takes hints in: size, token, the CRM's proof where the branch has one set, rate; then stored and committed; only
    then 200."""

    def __init__(
        self,
        directory: Directory,
        events: CrmEvents,
        limits: RateLimits,
        address_of: Callable[[web.Request], str | None],
        clock: Clock,
        proves: Proves,
    ) -> None:
        self._directory = directory
        self._events = events
        self._limits = limits
        self._address_of = address_of
        self._clock = clock
        self._proves = proves

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each also without `/api`."""
        return [web.post(f"{prefix}/v1/crm/webhook/{{webhook_token}}", self._accept) for prefix in ("/api", "")]

    async def _accept(self, request: web.Request) -> web.Response:
        refuse_large(request, most=BODY_LIMIT)
        address = self._address_of(request)
        named = await self._directory.find_crm_branch(request.match_info["webhook_token"], asked_by=address)
        if named is None:
            HOOKS.labels("unknown_token").inc()
            raise web.HTTPNotFound
        company_id, branch_id = named
        structlog.contextvars.bind_contextvars(company_id=str(company_id), branch_id=str(branch_id))
        body = await read_body(request, most=BODY_LIMIT)
        hook = Hook(content_type=request.content_type[:200], headers=_own_headers(request.headers), body=body)
        if not await self._proves(company_id, hook):
            HOOKS.labels("refused").inc()
            log.warning("crm_hook_proof_failed", remote=address)
            raise web.HTTPUnauthorized
        asks = [Ask(f"crm-hooks:{branch_id}", 1, PER_BRANCH)]
        if address is not None:
            asks.append(Ask(f"crm-hooks-from:{address}", 1, PER_ADDRESS))
        if any(not grant.granted for grant in await self._limits.take(asks)):
            HOOKS.labels("limited").inc()
            raise web.HTTPTooManyRequests
        await self._events.accept(
            company_id,
            branch_id,
            content_type=hook.content_type,
            headers=hook.headers,
            body=hook.body,
            now=self._clock(),
        )
        HOOKS.labels("accepted").inc()
        return web.json_response({})


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep the few in which a CRM may put a secret of its own; whoever sends more of them sends nonsense."""
    own = {name: storable(value[:LONGEST_HEADER]) for name, value in headers.items() if name.lower().startswith("x-")}
    return dict(list(own.items())[:MOST_HEADERS])
