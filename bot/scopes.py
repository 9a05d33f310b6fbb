"""The one place where a company's scope is opened: its records and the adapters of its CRM."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

from pydantic import SecretStr

from bot.app import Core
from bot.settings import Mode
from crm.addresses import Reach
from crm.base import BaseCRMAdapter
from crm.errors import CRMNotConfigured
from crm.http import CRMHttp
from crm.lines import Line
from crm.registry import CRMFactory, may_lessen
from db.cache import Cache
from db.directory import Directory
from db.records import Branch, BranchId, CompanyId, CrmSettings
from orchestration.company_figures import COMPANY_FIGURES
from orchestration.scope import CompanyScope

OpenCrmSecrets = Callable[[CompanyId, CrmSettings], Mapping[str, SecretStr]]
Noticed = Callable[[CompanyId, timedelta], None]
"""Is told whenever a company's catalogue is read, and how old it was."""


class Scopes:
    """Opens scopes from the cached directory; secrets are decrypted only when an adapter is made."""

    def __init__(
        self,
        directory: Directory,
        factory: CRMFactory,
        open_secrets: OpenCrmSecrets,
        noticed: Noticed | None = None,
    ) -> None:
        self._noticed = noticed
        self._directory = directory
        self._factory = factory
        self._open_secrets = open_secrets

    async def open(self, company_id: CompanyId) -> CompanyScope:
        """Return the company's scope as of now. Raises NotFound for an unknown company."""
        snapshot = await self._directory.get_snapshot(company_id)
        COMPANY_FIGURES.named(snapshot.company)
        opened: dict[BranchId, BaseCRMAdapter] = {}

        def open_crm(branch: Branch) -> BaseCRMAdapter:
            crm = snapshot.crm
            if crm is None:
                raise CRMNotConfigured("no CRM is set for this company")
            if branch.id not in opened:
                opened[branch.id] = self._factory.create(
                    crm.type,
                    options=crm.options,
                    secrets=self._open_secrets(company_id, crm),
                    account_id=branch.crm_account_id,
                    time_zone=branch.time_zone,
                    company=str(company_id),
                    noticed=partial(self._noticed, company_id) if self._noticed else None,
                )
            return opened[branch.id]

        scope = CompanyScope(snapshot=snapshot, open_crm=open_crm)
        if snapshot.crm is not None and may_lessen(snapshot.crm.type):
            for branch in scope.branches:
                await scope.crm(branch.id).settle()
        return scope


@asynccontextmanager
async def open_crm(core: Core, noticed: Noticed | None = None) -> AsyncIterator[Scopes]:
    """Open what reads and writes CRMs, over one shared pool for each outgoing address.

    `noticed`: whoever refreshes catalogues in the background; without it each is read anew by who asks for it.
    """
    lines = [Line.of(text) for text in core.settings.crm_proxies]
    reach = Reach(allowed=core.settings.allowed_private_hosts, loopback=core.settings.mode is Mode.DEVELOPMENT)
    http = CRMHttp(clock=core.clock, lines=lines, breaker=core.crm_breaker, reach=reach, counted=_count)
    try:
        factory = CRMFactory(
            http, pace=core.crm_pace, cache=Cache(core.redis, f"{core.redis_prefix}crm:"), clock=core.clock
        )
        yield Scopes(core.directory, factory, core.open_crm_secrets, noticed)
    finally:
        await http.aclose()


def _count(company: str, failed: bool) -> None:
    """Count an operation as its company's; what is asked outside of any company's scope has none."""
    if company:
        COMPANY_FIGURES.crm_call(CompanyId(UUID(company)), failed=failed)
