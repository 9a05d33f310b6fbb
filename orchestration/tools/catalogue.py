"""Tools that only read what the company offers: services, masters, products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field

from crm.base import Capability, Price, Product, Terms
from db.catalogue import Booking
from db.records import Branch
from orchestration.catalogue import OfferedService, list_offered_services, to_price
from orchestration.scope import CompanyScope
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.turns import Turn
from orchestration.wording import price_text

_MOST_SERVICES = 60
_MOST_PRODUCTS = 100


class BranchArguments(Arguments):
    branch_id: str | None = Field(None, description="Which branch; only where the company has more than one.")


class GetServices(BranchArguments):
    query: str | None = Field(
        None, description="Words to look for in names and descriptions; empty: all.", max_length=100
    )


class GetStaff(BranchArguments):
    service_id: str | None = Field(None, description="Only masters who do this service (service_id from get_services).")


class GetProducts(Arguments):
    query: str | None = Field(None, description="Words to look for; empty: all.", max_length=100)


def pick_branch(turn: Turn, key: str | None) -> Branch | ToolOutcome:
    """Return the branch that is meant; with several and none named, tell the model to ask."""
    branches = turn.scope.branches
    if key:
        found = next(
            (branch for branch in branches if key.casefold() in (branch.key.casefold(), branch.name.casefold())), None
        )
        if found:
            return found
    elif len(branches) == 1:
        return branches[0]
    if not branches:
        return refuse("no_online_booking", turn.texts.text("crm-not-configured"))
    listed = [{"branch_id": branch.key, "name": branch.name, "address": branch.address or ""} for branch in branches]
    return refuse("branch_needed", turn.texts.text("tool-branch-needed"), branches=listed)


async def get_services(turn: Turn, arguments: GetServices) -> ToolOutcome:
    branch: Branch | None = None
    if turn.scope.has_crm:
        picked = pick_branch(turn, arguments.branch_id)
        if isinstance(picked, ToolOutcome):
            return picked
        branch = picked
    services = await list_offered_services(turn.scope, branch)
    if arguments.query:
        services = _matching(services, arguments.query) or services
    return ToolOutcome(response={"services": [_told(turn, service) for service in services[:_MOST_SERVICES]]})


async def get_staff(turn: Turn, arguments: GetStaff) -> ToolOutcome:
    branch = pick_branch(turn, arguments.branch_id)
    if isinstance(branch, ToolOutcome):
        return branch
    crm = turn.scope.crm(branch.id)
    wanted = [arguments.service_id] if arguments.service_id else []
    services = await list_offered_services(turn.scope, branch)
    if unknown := [id_ for id_ in wanted if id_ not in {service.id for service in services}]:
        return refuse("unknown_service", turn.texts.text("tool-unknown-service"), service_ids=unknown)
    staff = await crm.get_staff([service.id for service in services if service.id in wanted])
    told = [
        {"staff_id": person.id, "name": person.name, "specialization": person.specialization or ""} for person in staff
    ]
    return ToolOutcome(response={"staff": told})


async def get_products(turn: Turn, arguments: GetProducts) -> ToolOutcome:
    """Tell the products of the company's file and of its CRM; of one that both know, the price that the CRM says."""
    query = (arguments.query or "").casefold()
    in_crm = {product.title.casefold(): product for product in await _crm_products(turn)}
    told = []
    for product in turn.scope.agent.products:
        own = to_price(product.price, turn.scope.agent.currency) if product.price else None
        there = in_crm.pop(product.name.casefold(), None)
        told.append(_product(turn, product.name, product.description, (there and there.price) or own))
    told += [_product(turn, one.title, one.description, one.price) for one in in_crm.values()]
    fitting = [one for one in told if not query or query in f"{one['name']} {one['description']}".casefold()]
    return ToolOutcome(response={"products": fitting[:_MOST_PRODUCTS]})


async def _crm_products(turn: Turn) -> Sequence[Product]:
    if not turn.scope.can(Capability.PRODUCTS):
        return ()
    return await turn.scope.crm(turn.scope.branches[0].id).get_products()


def _product(turn: Turn, name: str, description: str | None, price: Price | None) -> dict[str, str]:
    said = price_text(turn.texts, price) if price else ""
    return {"name": name, "description": description or "", "price": said}


def _matching(services: Sequence[OfferedService], query: str) -> tuple[OfferedService, ...]:
    """Find services by the beginnings of the query's words: Russian endings differ, stems do not."""
    stems = [word[: max(4, len(word) - 3)] for word in query.casefold().split() if len(word) > 2]
    return tuple(
        service
        for service in services
        if any(stem in f"{service.name} {service.description or ''}".casefold() for stem in stems)
    )


def _told(turn: Turn, service: OfferedService) -> dict[str, Any]:
    told: dict[str, Any] = {
        "service_id": service.id,
        "name": service.name,
        "price": price_span(turn, service),
        "duration_min": _minutes(service.terms),
        "booking": service.booking.value,
    }
    if service.description:
        told["description"] = service.description
    if service.ask_before:
        told["ask_before"] = list(service.ask_before)
    if service.booking is Booking.LINK and service.link:
        told["link"] = service.link
    return told


def price_span(turn: Turn, service: OfferedService) -> str:
    """Say what the service costs with any master: one price, or the range that the masters' prices span."""
    prices = [terms.price for terms in (service.terms, *service.by_staff.values()) if terms.price is not None]
    if not prices:
        return ""
    low = min(prices, key=lambda price: price.low.minor_units).low
    high = max((price.high or price.low for price in prices), key=lambda money: money.minor_units)
    return price_text(turn.texts, Price(low=low, high=high if high != low else None))


def _minutes(terms: Terms) -> int | None:
    return round(terms.duration.total_seconds() / 60) if terms.duration else None


def needs(*capabilities: Capability) -> Callable[[CompanyScope], bool]:
    """Return what says whether the company's CRM can do all of these: a tool is offered only then."""
    return lambda scope: scope.can(*capabilities)


CATALOGUE_TOOLS = (
    Tool(
        name="get_services",
        description="The services with prices and durations. booking: agent (you book), person (staff book: "
        "call_a_person), link (give the link). Ask the client the ask_before questions before booking.",
        arguments=GetServices,
        run=get_services,
        reads_only=True,
    ),
    Tool(
        name="get_staff",
        description="The masters open for online booking, optionally those who do one service.",
        arguments=GetStaff,
        run=get_staff,
        available=needs(Capability.CATALOGUE),
        reads_only=True,
    ),
    Tool(
        name="get_products",
        description="The products on sale with prices.",
        arguments=GetProducts,
        run=get_products,
        available=lambda scope: bool(scope.agent.products) or scope.can(Capability.PRODUCTS),
        reads_only=True,
    ),
)
