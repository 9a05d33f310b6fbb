"""A company's rows to records and back. Which transactions they are written in: db/companies.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, RowMapping, Select, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from db import models
from db.agent_notes import read_notes_in_force
from db.catalogue_json import (
    hours_from_json,
    hours_to_json,
    product_from_json,
    product_to_json,
    question_from_json,
    question_to_json,
    service_from_json,
    service_to_json,
)
from db.crypto import token_digest
from db.engine import Transaction
from db.errors import NotFound
from db.outreach_settings import outreach_from_json, outreach_to_json
from db.people_settings import people_from_json, people_to_json
from db.privacy import privacy_from_json, privacy_to_json
from db.quiet_hours import quiet_from_json, quiet_to_json
from db.records import (
    NO_CHANNEL,
    AgentSettings,
    Branch,
    BranchId,
    Channel,
    ChannelId,
    ChannelStatus,
    ChannelType,
    Company,
    CompanyId,
    CompanySnapshot,
    CrmSettings,
    DialogueId,
    ModelBudget,
    WorkKind,
)
from db.work import ring

# On a cold company's way, so built once (see db/work.py).
_mine: BindParameter[Any] = bindparam("company")
_COMPANY = select(models.companies).where(models.companies.c.id == _mine)
_AGENT = select(models.company_agent_settings).where(models.company_agent_settings.c.company_id == _mine)
_CRM = select(models.company_crm_settings).where(models.company_crm_settings.c.company_id == _mine)
_BRANCHES = select(models.branches).where(models.branches.c.company_id == _mine).order_by(models.branches.c.position)
_CHANNELS = (
    select(models.company_channels)
    .where(models.company_channels.c.company_id == _mine)
    .order_by(models.company_channels.c.created_at, models.company_channels.c.id)
)


async def read_snapshot(tx: Transaction) -> CompanySnapshot:
    """Read the company of the scope. Raises NotFound."""
    company, agent, crm = [await _one(tx, statement) for statement in (_COMPANY, _AGENT, _CRM)]
    branches = await tx.connection.execute(_BRANCHES, {"company": tx.company})
    if company is None or agent is None:
        raise NotFound(f"there is no company {tx.company}")
    return CompanySnapshot(
        company=to_company(company),
        agent=_agent(agent),
        branches=tuple(_branch(row) for row in branches.mappings()),
        crm=CrmSettings(type=crm["type"], options=crm["options"], secrets=crm["secrets"]) if crm else None,
        notes=await read_notes_in_force(tx),
    )


async def read_channels(tx: Transaction) -> list[Channel]:
    """Read the channels of the company of the scope."""
    rows = await tx.connection.execute(_CHANNELS, {"company": tx.company})
    return [_channel(row) for row in rows.mappings()]


async def _one(tx: Transaction, statement: Select[Any]) -> RowMapping | None:
    row: RowMapping | None = (await tx.connection.execute(statement, {"company": tx.company})).mappings().first()
    return row


async def write_agent(tx: Transaction, agent: AgentSettings, branches: Sequence[Branch]) -> None:
    first = branches[0] if branches else None
    values = {
        "company_id": tx.company,
        "description": agent.description,
        "business_type": agent.business_type,
        "target_audience": agent.target_audience,
        "highlights": agent.highlights,
        "services": [service_to_json(service) for service in agent.services],
        "products": [product_to_json(product) for product in agent.products],
        "faq": [question_to_json(question) for question in agent.faq],
        "policies": [list(pair) for pair in agent.policies.items()],
        "hours": hours_to_json(first.hours) if first else None,
        "address": first.address if first else None,
        "phone": first.phone if first else None,
        "time_zone": first.time_zone if first else None,
        "instructions": agent.instructions,
        "language": agent.language,
        "currency": agent.currency,
        "mode": agent.mode,
        "model": agent.model,
        "quiet_ms": round(agent.quiet.total_seconds() * 1000) if agent.quiet is not None else None,
        "longest_gap_minutes": _minutes(agent.longest_gap),
        "budget_soft_cents": agent.budget.soft,
        "budget_hard_cents": agent.budget.hard,
        "tell_of_crm_changes": agent.tell_of_crm_changes,
        "reminder_minutes": _leads(agent.reminders),
        "quiet_hours": quiet_to_json(agent.quiet_hours),
        "privacy": privacy_to_json(agent.privacy),
        "outreach": outreach_to_json(agent.outreach),
        "people": people_to_json(agent.people),
        "most_open_bookings": agent.most_open_bookings,
        "updated_at": func.now(),
    }
    statement = insert(models.company_agent_settings).values(values)
    await tx.connection.execute(statement.on_conflict_do_update(index_elements=["company_id"], set_=values))


async def write_branches(tx: Transaction, branches: Sequence[Branch], *, now: datetime) -> None:
    table = models.branches
    keys = [branch.key for branch in branches]
    await tx.connection.execute(delete(table).where(table.c.company_id == tx.company, table.c.key.not_in(keys)))
    for position, branch in enumerate(branches):
        values = {
            "name": branch.name,
            "address": branch.address,
            "phone": branch.phone,
            "time_zone": branch.time_zone,
            "hours": hours_to_json(branch.hours),
            "crm_account_id": branch.crm_account_id,
            "staff_chat": branch.staff_chat,
            "position": position,
        }
        statement = insert(table).values(company_id=tx.company, id=branch.id, key=branch.key, **values)
        kept = statement.on_conflict_do_update(index_elements=["company_id", "key"], set_=values).returning(table.c.id)
        await watch_crm(tx, BranchId((await tx.connection.execute(kept)).scalar_one()), now=now)


async def watch_crm(tx: Transaction, branch_id: BranchId, *, now: datetime) -> None:
    """Ask that the branch's CRM is looked into at once; where there is none, that is found out then."""
    await ring(tx, dialogue_id=DialogueId(branch_id), channel_id=NO_CHANNEL, kind=WorkKind.CRM, due_at=now)


async def write_token(tx: Transaction, channel: Channel, token: str) -> None:
    await tx.connection.execute(
        insert(models.webhook_tokens).values(
            digest=token_digest(token),
            company_id=channel.company_id,
            channel_id=channel.id,
            address=f"{channel.type.value}:{channel.external_id}",
        )
    )


async def declare_channel(tx: Transaction, type_: ChannelType) -> None:
    table = models.companies
    named = literal([type_.value], JSONB)
    await tx.connection.execute(
        update(table)
        .where(table.c.id == tx.company, ~table.c.declared_channels.contains(named))
        .values(declared_channels=table.c.declared_channels.concat(named))
    )


def company_values(company: Company) -> dict[str, Any]:
    return {
        "id": company.id,
        "slug": company.slug,
        "name": company.name,
        "email": company.email,
        "plan": company.plan,
        "declared_channels": [channel.value for channel in company.channels],
    }


def to_company(row: RowMapping) -> Company:
    return Company(
        id=CompanyId(row["id"]),
        slug=row["slug"],
        name=row["name"],
        email=row["email"],
        plan=row["plan"],
        plan_limits=row["plan_limits"],
        channels=tuple(ChannelType(name) for name in row["declared_channels"]),
        disabled=row["disabled_at"] is not None,
        log_level=row["log_level"],
        log_level_until=row["log_level_until"],
        paused_at=row["paused_at"],
        paused_by=row["paused_by"],
    )


def _agent(row: RowMapping) -> AgentSettings:
    return AgentSettings(
        description=row["description"],
        business_type=row["business_type"],
        target_audience=row["target_audience"],
        highlights=row["highlights"],
        services=tuple(service_from_json(raw) for raw in row["services"]),
        products=tuple(product_from_json(raw) for raw in row["products"]),
        faq=tuple(question_from_json(raw) for raw in row["faq"]),
        policies={topic: words for topic, words in row["policies"]},
        instructions=row["instructions"],
        language=row["language"],
        currency=row["currency"],
        mode=row["mode"],
        model=row["model"],
        quiet=timedelta(milliseconds=row["quiet_ms"]) if row["quiet_ms"] is not None else None,
        longest_gap=timedelta(minutes=row["longest_gap_minutes"]) if row["longest_gap_minutes"] is not None else None,
        budget=ModelBudget(soft=row["budget_soft_cents"], hard=row["budget_hard_cents"]),
        tell_of_crm_changes=row["tell_of_crm_changes"],
        reminders=_read_leads(row["reminder_minutes"]),
        quiet_hours=quiet_from_json(row["quiet_hours"]),
        privacy=privacy_from_json(row["privacy"]),
        outreach=outreach_from_json(row["outreach"]),
        people=people_from_json(row["people"]),
        most_open_bookings=row["most_open_bookings"],
    )


def _leads(leads: Sequence[timedelta] | None) -> list[int] | None:
    return [round(lead.total_seconds() / 60) for lead in leads] if leads is not None else None


def _read_leads(minutes: Sequence[int] | None) -> tuple[timedelta, ...] | None:
    return tuple(timedelta(minutes=one) for one in minutes) if minutes is not None else None


def _minutes(length: timedelta | None) -> int | None:
    return round(length.total_seconds() / 60) if length is not None else None


def _branch(row: RowMapping) -> Branch:
    return Branch(
        id=BranchId(row["id"]),
        key=row["key"],
        name=row["name"],
        time_zone=row["time_zone"],
        address=row["address"],
        phone=row["phone"],
        hours=hours_from_json(row["hours"]),
        crm_account_id=row["crm_account_id"],
        staff_chat=row["staff_chat"],
    )


def channel_values(channel: Channel) -> dict[str, Any]:
    return {
        "company_id": channel.company_id,
        "id": channel.id,
        "type": channel.type.value,
        "external_id": channel.external_id,
        "name": channel.name,
        "status": channel.status.value,
        "options": dict(channel.options),
        "secrets": channel.secrets,
    }


def _channel(row: RowMapping) -> Channel:
    return Channel(
        id=ChannelId(row["id"]),
        company_id=CompanyId(row["company_id"]),
        type=ChannelType(row["type"]),
        external_id=row["external_id"],
        name=row["name"],
        status=ChannelStatus(row["status"]),
        options=row["options"],
        secrets=row["secrets"],
    )
