"""The company's records and its CRM adapter into every handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

from crm.base import BaseCRMAdapter
from crm.errors import CRMNotConfigured
from db.records import Channel
from orchestration.scope import CompanyScope, CompanyScopes


class TenantMiddleware(BaseMiddleware):
    """Adds `scope`, `company` and `crm` to what handlers may ask for by name.

    `crm` is the adapter of the company's first branch, None where the company has no CRM; `scope.crm(branch_id)` opens
    the others.
    """

    def __init__(self, scopes: CompanyScopes) -> None:
        self._scopes = scopes

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        channel: Channel = data["channel"]
        scope = await self._scopes.open(channel.company_id)
        data["scope"] = scope
        data["company"] = scope.company
        data["crm"] = first_crm(scope)
        return await handler(event, data)


class Tenanted(Protocol):
    """What the same is put into where a channel's SDK has no middleware."""

    channel: Channel
    scope: CompanyScope | None
    crm: BaseCRMAdapter | None


def bind_tenant(scopes: CompanyScopes) -> Callable[[Tenanted], Awaitable[None]]:
    """Return what puts the company and its CRM into the feed of an update."""

    async def bind(feed: Tenanted) -> None:
        feed.scope = await scopes.open(feed.channel.company_id)
        feed.crm = first_crm(feed.scope)

    return bind


def first_crm(scope: CompanyScope) -> BaseCRMAdapter | None:
    """Return the adapter of the first branch, None where there is no CRM to speak to."""
    try:
        return scope.crm(scope.branches[0].id) if scope.branches else None
    except CRMNotConfigured:
        return None
