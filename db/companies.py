"""Companies and what is theirs: settings, branches, CRM, channels. The admin's side; turns read db/directory.py."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import RowMapping, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import IntegrityError

from db import models
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
from db.crypto import KeyRing, new_webhook_token, token_digest
from db.engine import Database, Transaction
from db.errors import Conflict, NotFound
from db.records import (
    NO_CHANNEL,
    NO_DIALOGUE,
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
    WorkKind,
    new_id,
)
from db.work import ring

CHANNEL_SECRETS = "company_channels.secrets"
CRM_SECRETS = "company_crm_settings.secrets"
NEWS = "companies"
"""The Redis channel on which changed companies are told; a process that misses it forgets them by time."""


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Companies:
    """Every write is one transaction of its own, told to the other processes after its commit."""

    def __init__(
        self, database: Database, keys: KeyRing, clock: _Clock, redis: Redis | None = None, prefix: str = ""
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys
        self._redis = redis
        self._news = f"{prefix}{NEWS}"

    # ---- companies

    async def create_company(self, company: Company, agent: AgentSettings, branches: Sequence[Branch]) -> None:
        """Create a company whole. Raises Conflict where the slug is taken."""
        try:
            async with self._database.company(company.id) as tx:
                values = {**_company_values(company), "plan_limits": dict(company.plan_limits)}
                await tx.connection.execute(insert(models.companies).values(values))
                await _write_agent(tx, agent, branches)
                await _write_branches(tx, branches)
                await ring(
                    tx,
                    dialogue_id=NO_DIALOGUE,
                    channel_id=NO_CHANNEL,
                    kind=WorkKind.SWEEP,
                    due_at=self._clock(),
                )
        except IntegrityError as error:
            raise Conflict(f"the slug {company.slug!r} is taken") from error

    async def replace_company(self, company: Company, agent: AgentSettings, branches: Sequence[Branch]) -> None:
        """Replace a company's records in one transaction. Branches are matched by key and keep their ids.

        The limits of its plan stay: they are the platform's to set.
        """
        async with self._database.company(company.id) as tx:
            table = models.companies
            await tx.connection.execute(update(table).where(table.c.id == company.id).values(_company_values(company)))
            await _write_agent(tx, agent, branches)
            await _write_branches(tx, branches)
        await self._tell(company.id)

    async def get_company_id(self, slug_or_id: str) -> CompanyId:
        """Return the id of a company named by slug or id. Raises NotFound."""
        table = models.companies.c
        wanted = [table.slug == slug_or_id]
        with contextlib.suppress(ValueError):
            wanted.append(table.id == UUID(slug_or_id))
        async with self._database.platform() as tx:
            found = await tx.connection.scalar(select(table.id).where(or_(*wanted)))
        if found is None:
            raise NotFound(f"there is no company {slug_or_id!r}; `ai-admin company list` shows them")
        return CompanyId(found)

    async def list_companies(self) -> Sequence[Company]:
        async with self._database.platform() as tx:
            rows = await tx.connection.execute(select(models.companies).order_by(models.companies.c.slug))
            return [_company(row) for row in rows.mappings()]

    async def get_snapshot(self, company_id: CompanyId) -> CompanySnapshot:
        """Return the company as of now. Raises NotFound."""
        async with self._database.company(company_id) as tx:
            return await read_snapshot(tx)

    async def set_disabled(self, company_id: CompanyId, *, disabled: bool) -> None:
        async with self._database.company(company_id) as tx:
            value = func.now() if disabled else None
            await tx.connection.execute(
                update(models.companies).where(models.companies.c.id == company_id).values(disabled_at=value)
            )
        await self._tell(company_id)

    async def set_agent(self, company_id: CompanyId, agent: AgentSettings) -> None:
        async with self._database.company(company_id) as tx:
            await _write_agent(tx, agent, (await read_snapshot(tx)).branches)
        await self._tell(company_id)

    # ---- the CRM

    async def set_crm(
        self, company_id: CompanyId, type_: str, *, options: Mapping[str, str], secrets: Mapping[str, SecretStr]
    ) -> None:
        """Set or replace the company's CRM."""
        values = {
            "company_id": company_id,
            "type": type_,
            "options": dict(options),
            "secrets": self._keys.seal_secrets(secrets, company_id=company_id, column=CRM_SECRETS),
            "updated_at": func.now(),
        }
        async with self._database.company(company_id) as tx:
            statement = insert(models.company_crm_settings).values(values)
            await tx.connection.execute(statement.on_conflict_do_update(index_elements=["company_id"], set_=values))
        await self._tell(company_id)

    def crm_secrets(self, company_id: CompanyId, crm: CrmSettings) -> dict[str, SecretStr]:
        """Decrypt the CRM's secrets. Raises SecretError."""
        return self._keys.open_secrets(crm.secrets, company_id=company_id, column=CRM_SECRETS)

    # ---- channels

    async def add_channel(
        self,
        company_id: CompanyId,
        type_: ChannelType,
        *,
        external_id: str,
        name: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, SecretStr],
        declare: bool = False,
    ) -> tuple[Channel, str]:
        """Add a channel; return it with its webhook token, which is not stored and cannot be asked for again.

        `declare` says that it belongs in the company's file from now on. Raises Conflict where the company has this
        very bot or number already.
        """
        token = new_webhook_token()
        channel = Channel(
            id=ChannelId(new_id()),
            company_id=company_id,
            type=type_,
            external_id=external_id,
            name=name,
            status=ChannelStatus.ACTIVE,
            options=dict(options),
            secrets=self._keys.seal_secrets(secrets, company_id=company_id, column=CHANNEL_SECRETS),
        )
        try:
            async with self._database.company(company_id) as tx:
                await tx.connection.execute(insert(models.company_channels).values(_channel_values(channel)))
                await _write_token(tx, channel, token)
                if declare:
                    await _declare(tx, type_)
        except IntegrityError as error:
            raise Conflict(f"{name} is a channel of this company already; `channel rotate` renews it") from error
        await self._tell(company_id)
        return channel, token

    async def list_channels(self, company_id: CompanyId) -> Sequence[Channel]:
        async with self._database.company(company_id) as tx:
            return await read_channels(tx)

    async def rotate_token(self, channel: Channel) -> str:
        """Give the channel a new webhook token; the old one is dead from the commit on."""
        token = new_webhook_token()
        async with self._database.company(channel.company_id) as tx:
            tokens = models.webhook_tokens
            await tx.connection.execute(
                delete(tokens).where(tokens.c.company_id == channel.company_id, tokens.c.channel_id == channel.id)
            )
            await _write_token(tx, channel, token)
        await self._tell(channel.company_id)
        return token

    async def set_channel_status(self, company_id: CompanyId, channel_id: ChannelId, status: ChannelStatus) -> None:
        table = models.company_channels
        async with self._database.company(company_id) as tx:
            await tx.connection.execute(
                update(table)
                .where(table.c.company_id == company_id, table.c.id == channel_id)
                .values(status=status.value)
            )
        await self._tell(company_id)

    def channel_secrets(self, channel: Channel) -> dict[str, SecretStr]:
        """Decrypt a channel's secrets. Raises SecretError."""
        return self._keys.open_secrets(channel.secrets, company_id=channel.company_id, column=CHANNEL_SECRETS)

    async def _tell(self, company_id: CompanyId) -> None:
        """Tell the other processes; one that does not hear it forgets the company within the directory's TTL."""
        if self._redis is not None:
            try:
                await self._redis.publish(self._news, str(company_id))
            except RedisError:
                return


# ---- rows to records and back


async def read_snapshot(tx: Transaction) -> CompanySnapshot:
    """Read the company of the scope. Raises NotFound."""
    company = await _one(tx, models.companies, models.companies.c.id == tx.company)
    agent = await _one(tx, models.company_agent_settings)
    crm = await _one(tx, models.company_crm_settings)
    table = models.branches
    rows = await tx.connection.execute(select(table).where(table.c.company_id == tx.company).order_by(table.c.position))
    if company is None or agent is None:
        raise NotFound(f"there is no company {tx.company}")
    return CompanySnapshot(
        company=_company(company),
        agent=_agent(agent),
        branches=tuple(_branch(row) for row in rows.mappings()),
        crm=CrmSettings(type=crm["type"], options=crm["options"], secrets=crm["secrets"]) if crm else None,
    )


async def read_channels(tx: Transaction) -> list[Channel]:
    """Read the channels of the company of the scope."""
    table = models.company_channels
    rows = await tx.connection.execute(
        select(table).where(table.c.company_id == tx.company).order_by(table.c.created_at, table.c.id)
    )
    return [_channel(row) for row in rows.mappings()]


async def _one(tx: Transaction, table: Any, condition: Any = None) -> RowMapping | None:
    where = table.c.company_id == tx.company if condition is None else condition
    return (await tx.connection.execute(select(table).where(where))).mappings().first()


async def _write_agent(tx: Transaction, agent: AgentSettings, branches: Sequence[Branch]) -> None:
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
        "updated_at": func.now(),
    }
    statement = insert(models.company_agent_settings).values(values)
    await tx.connection.execute(statement.on_conflict_do_update(index_elements=["company_id"], set_=values))


async def _write_branches(tx: Transaction, branches: Sequence[Branch]) -> None:
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
        await tx.connection.execute(statement.on_conflict_do_update(index_elements=["company_id", "key"], set_=values))


async def _write_token(tx: Transaction, channel: Channel, token: str) -> None:
    await tx.connection.execute(
        insert(models.webhook_tokens).values(
            digest=token_digest(token), company_id=channel.company_id, channel_id=channel.id
        )
    )


async def _declare(tx: Transaction, type_: ChannelType) -> None:
    table = models.companies
    named = literal([type_.value], JSONB)
    await tx.connection.execute(
        update(table)
        .where(table.c.id == tx.company, ~table.c.declared_channels.contains(named))
        .values(declared_channels=table.c.declared_channels.concat(named))
    )


def _company_values(company: Company) -> dict[str, Any]:
    return {
        "id": company.id,
        "slug": company.slug,
        "name": company.name,
        "email": company.email,
        "plan": company.plan,
        "declared_channels": [channel.value for channel in company.channels],
    }


def _company(row: RowMapping) -> Company:
    return Company(
        id=CompanyId(row["id"]),
        slug=row["slug"],
        name=row["name"],
        email=row["email"],
        plan=row["plan"],
        plan_limits=row["plan_limits"],
        channels=tuple(ChannelType(name) for name in row["declared_channels"]),
        disabled=row["disabled_at"] is not None,
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
    )


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


def _channel_values(channel: Channel) -> dict[str, Any]:
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
