"""Checks that an admin runs: a company's CRM against its own file, and everything the installation depends on."""

from __future__ import annotations

from bot.app import Core
from bot.scopes import open_crm
from crm.base import BaseCRMAdapter, Capability, CheckLine, CheckStatus, Price, Service
from crm.errors import CRMError
from db.records import AgentSettings, Branch, CompanyId
from orchestration.catalogue import find_description, to_price


async def check_company_crm(core: Core, company_id: CompanyId) -> list[tuple[str, CheckLine]]:
    """Return the lines of `crm check`, each with its branch. Raises NotFound for an unknown company."""
    lines: list[tuple[str, CheckLine]] = []
    async with open_crm(core) as scopes:
        scope = await scopes.open(company_id)
        for branch in scope.branches:
            try:
                crm = scope.crm(branch.id)
                lines += [(branch.key, line) for line in await crm.check()]
                lines += [(branch.key, line) for line in await compare_catalogue(scope.agent, branch, crm)]
            except CRMError as error:
                lines.append((branch.key, CheckLine(subject=error.code, status=CheckStatus.FAILED, detail=str(error))))
    return lines


async def describe_company_mapping(core: Core, company_id: CompanyId) -> list[dict[str, str]]:
    """Return the lines of `crm mapping`, each with its branch; none where the adapter knows its CRM's fields itself.

    Raises NotFound for an unknown company, CRMError where the CRM cannot be asked.
    """
    rows = []
    async with open_crm(core) as scopes:
        scope = await scopes.open(company_id)
        for branch in scope.branches:
            for line in await scope.crm(branch.id).describe_mapping():
                found = {True: "found", False: "missing", None: "not looked at"}[line.found]
                rows.append(
                    {"branch": branch.key, "what": line.what, "field": line.field, "in the CRM": found}
                    | {"detail": line.detail}
                )
    return rows


async def compare_catalogue(agent: AgentSettings, branch: Branch, crm: BaseCRMAdapter) -> list[CheckLine]:
    """List every service whose price or duration differs between the CRM and the file, or that only one knows.

    Where both say something, the CRM's word is what clients are told.
    """
    if Capability.CATALOGUE not in crm.capabilities:
        return []
    services = await crm.get_services()
    described = {find.name: find for find in agent.services}
    lines = []
    for service in services:
        told = find_description(agent.services, service.id, service.title)
        if told is None:
            lines.append(_warn(service.title, "in the CRM only: it is offered, without a description of yours"))
            continue
        described.pop(told.name, None)
        file_price = to_price(told.price, agent.currency) if told.price else None
        if file_price and service.terms.price and file_price != service.terms.price and not _spans(service, file_price):
            lines.append(
                _warn(service.title, f"price: the CRM says {_say(service.terms.price)}, the file {_say(file_price)}")
            )
        if told.duration and service.terms.duration and told.duration != service.terms.duration:
            lines.append(
                _warn(service.title, f"duration: the CRM says {service.terms.duration}, the file {told.duration}")
            )
    lines += [_warn(name, "in the file only: not open for online booking in the CRM") for name in described]
    if not lines:
        lines.append(CheckLine(subject="catalogue", status=CheckStatus.OK, detail="the file and the CRM agree"))
    return lines


def _spans(service: Service, price: Price) -> bool:
    """Say whether the masters' own prices span exactly the file's range."""
    prices = [terms.price for terms in (service.terms, *service.by_staff.values()) if terms.price]
    low = min(one.low.minor_units for one in prices)
    high = max((one.high or one.low).minor_units for one in prices)
    return (low, high) == (price.low.minor_units, (price.high or price.low).minor_units)


def _say(price: Price) -> str:
    low = f"{price.low.minor_units / 100:g}"
    return (
        f"{low}-{price.high.minor_units / 100:g} {price.low.currency}" if price.high else f"{low} {price.low.currency}"
    )


def _warn(subject: str, detail: str) -> CheckLine:
    return CheckLine(subject=subject, status=CheckStatus.WARNING, detail=detail)
