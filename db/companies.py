"""Companies and what is theirs: settings, branches, CRM, channels. The admin's side; turns read db/directory.py."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from db import models
from db.audit import Action, Actor, AuditTrail, changes
from db.audited import told_of_channel, told_of_company, told_of_crm
from db.company_rows import (
    channel_values,
    company_values,
    declare_channel,
    read_channels,
    read_snapshot,
    to_company,
    watch_crm,
    write_agent,
    write_branches,
    write_token,
)
from db.crypto import CHANNEL_SECRETS, CRM_SECRETS, KeyRing, new_webhook_token, token_digest
from db.engine import Database
from db.errors import Conflict, NotFound, SecretError
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
from db.reminders import ask_to_remind_all, reminds_otherwise
from db.work import ring

NEWS = "companies"
"""The Redis channel on which changed companies are told; a process that misses it forgets them by time."""


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Companies:
    """Every write is one transaction of its own, its audit entry included, told to the other processes after it."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        clock: _Clock,
        redis: Redis | None = None,
        prefix: str = "",
        audit: AuditTrail | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit or AuditTrail(clock)
        self._keys = keys
        self._redis = redis
        self._news = f"{prefix}{NEWS}"

    # ---- companies

    async def create_company(self, company: Company, agent: AgentSettings, branches: Sequence[Branch]) -> None:
        """Create a company whole. Raises Conflict where the slug is taken."""
        try:
            async with self._database.company(company.id) as tx:
                values = {**company_values(company), "plan_limits": dict(company.plan_limits)}
                await tx.connection.execute(insert(models.companies).values(values))
                await write_agent(tx, agent, branches)
                await write_branches(tx, branches, now=self._clock())
                await ring(
                    tx,
                    dialogue_id=NO_DIALOGUE,
                    channel_id=NO_CHANNEL,
                    kind=WorkKind.SWEEP,
                    due_at=self._clock(),
                )
                told = told_of_company(company, agent, branches)
                await self._audit.record(tx, Action.COMPANY_CREATE, subject=company.slug, after=told)
        except IntegrityError as error:
            raise Conflict(f"the slug {company.slug!r} is taken") from error

    async def replace_company(self, company: Company, agent: AgentSettings, branches: Sequence[Branch]) -> None:
        """Replace a company's records in one transaction. Branches are matched by key and keep their ids.

        The limits of its plan stay: they are the platform's to set.
        """
        async with self._database.company(company.id) as tx:
            table = models.companies
            old = await read_snapshot(tx)
            await tx.connection.execute(update(table).where(table.c.id == company.id).values(company_values(company)))
            await write_agent(tx, agent, branches)
            await write_branches(tx, branches, now=self._clock())
            if reminds_otherwise(agent, old.agent):
                await ask_to_remind_all(tx, now=self._clock())
            was, becomes = changes(
                told_of_company(old.company, old.agent, old.branches), told_of_company(company, agent, branches)
            )
            await self._audit.record(tx, Action.COMPANY_REPLACE, subject=company.slug, before=was, after=becomes)
        await self.tell(company.id)

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
            return [to_company(row) for row in rows.mappings()]

    async def get_snapshot(self, company_id: CompanyId) -> CompanySnapshot:
        """Return the company as of now. Raises NotFound."""
        async with self._database.company(company_id) as tx:
            return await read_snapshot(tx)

    async def set_disabled(self, company_id: CompanyId, *, disabled: bool) -> None:
        table = models.companies
        action = Action.COMPANY_DISABLE if disabled else Action.COMPANY_ENABLE
        async with self._database.company(company_id) as tx:
            mine = table.c.id == company_id
            was = (await tx.connection.execute(select(table).where(mine).with_for_update())).mappings().first()
            value = func.now() if disabled else None
            await tx.connection.execute(update(table).where(mine).values(disabled_at=value))
            if was is not None:
                before, after = {"disabled": was["disabled_at"] is not None}, {"disabled": disabled}
                await self._audit.record(tx, action, subject=was["slug"], before=before, after=after)
        await self.tell(company_id)

    async def set_log_level(self, company_id: CompanyId, level: str | None, *, until: datetime | None) -> None:
        """Log so much of the company's work until then; None: as much as of everybody's. Raises NotFound."""
        table = models.companies
        async with self._database.company(company_id) as tx:
            mine = table.c.id == company_id
            was = (await tx.connection.execute(select(table).where(mine).with_for_update())).mappings().first()
            if was is None:
                raise NotFound(f"there is no company {company_id}")
            await tx.connection.execute(update(table).where(mine).values(log_level=level, log_level_until=until))
            before, after = {"level": was["log_level"]}, {"level": level, "until": until.isoformat() if until else None}
            await self._audit.record(tx, Action.COMPANY_LOGS, subject=was["slug"], before=before, after=after)
        await self.tell(company_id)

    async def set_agent(
        self,
        company_id: CompanyId,
        agent: AgentSettings,
        *,
        actor: Actor | None = None,
        instead_of: AgentSettings | None = None,
    ) -> None:
        """Replace the agent's settings. `actor`: who does, where it is not whoever runs this process.

        `instead_of`: what they were when somebody began to change them; Conflict where they are others meanwhile.
        """
        async with self._database.company(company_id) as tx:
            # Whoever changes them at the same time waits, and then sees these.
            mine = models.company_agent_settings.c.company_id == company_id
            await tx.connection.execute(
                select(models.company_agent_settings.c.company_id).where(mine).with_for_update()
            )
            old = await read_snapshot(tx)
            if instead_of is not None and old.agent != instead_of:
                raise Conflict("the agent's settings were changed meanwhile")
            await write_agent(tx, agent, old.branches)
            if reminds_otherwise(agent, old.agent):
                await ask_to_remind_all(tx, now=self._clock())
            was, becomes = changes(told_of_company(old.company, old.agent), told_of_company(old.company, agent))
            await self._audit.record(
                tx, Action.AGENT_SET, subject=old.company.slug, before=was, after=becomes, actor=actor
            )
        await self.tell(company_id)

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
            old = await read_snapshot(tx)
            statement = insert(models.company_crm_settings).values(values)
            await tx.connection.execute(statement.on_conflict_do_update(index_elements=["company_id"], set_=values))
            for branch in old.branches:
                await watch_crm(tx, branch.id, now=self._clock())
            was = told_of_crm(old.crm.type, old.crm.options, ()) if old.crm else {}
            before, after = changes(was, told_of_crm(type_, options, self._changed(company_id, old.crm, secrets)))
            await self._audit.record(tx, Action.CRM_SET, subject=old.company.slug, before=before, after=after)
        await self.tell(company_id)

    async def make_crm_hook(self, company_id: CompanyId, branch_id: BranchId) -> str:
        """Return a new token for what the branch's CRM tells; the one before is dead from the commit on."""
        token = new_webhook_token()
        tokens = models.webhook_tokens
        async with self._database.company(company_id) as tx:
            mine = (tokens.c.company_id == company_id, tokens.c.branch_id == branch_id)
            await tx.connection.execute(delete(tokens).where(*mine))
            values = {"digest": token_digest(token), "company_id": company_id, "branch_id": branch_id}
            await tx.connection.execute(insert(tokens).values(values))
            await self._audit.record(tx, Action.CRM_HOOK, subject=f"branch {branch_id}")
        await self.tell(company_id)
        return token

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
                await tx.connection.execute(insert(models.company_channels).values(channel_values(channel)))
                await write_token(tx, channel, token)
                if declare:
                    await declare_channel(tx, type_)
                told = told_of_channel(channel, secrets)
                await self._audit.record(tx, Action.CHANNEL_ADD, subject=f"channel {channel.id}", after=told)
        except IntegrityError as error:
            raise Conflict(
                f"{name} is a channel of this company already; `channel renew` takes new credentials"
            ) from error
        await self.tell(company_id)
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
            await write_token(tx, channel, token)
            await self._audit.record(tx, Action.CHANNEL_ROTATE, subject=f"channel {channel.id}")
        await self.tell(channel.company_id)
        return token

    async def renew_channel(self, channel: Channel, secrets: Mapping[str, SecretStr]) -> Channel:
        """Put these secrets in the place of the channel's of the same names, and the channel to work; return it.

        Raises SecretError where those that stay cannot be opened.
        """
        all_of_them = {**self.channel_secrets(channel), **secrets}
        sealed = self._keys.seal_secrets(all_of_them, company_id=channel.company_id, column=CHANNEL_SECRETS)
        renewed = replace(channel, secrets=sealed, status=ChannelStatus.ACTIVE)
        table = models.company_channels
        async with self._database.company(channel.company_id) as tx:
            mine = (table.c.company_id == channel.company_id, table.c.id == channel.id)
            was = await tx.connection.scalar(select(table.c.status).where(*mine).with_for_update())
            values = {"secrets": sealed, "status": renewed.status.value}
            await tx.connection.execute(update(table).where(*mine).values(**values))
            before = {"status": was}
            after = {"status": renewed.status.value, **{f"secret.{name}": "changed" for name in sorted(secrets)}}
            subject = f"channel {channel.id}"
            await self._audit.record(tx, Action.CHANNEL_RENEW, subject=subject, before=before, after=after)
        await self.tell(channel.company_id)
        return renewed

    async def set_channel_template(self, channel: Channel, changed: Mapping[str, Any]) -> Channel:
        """Put these open options, which name templates, in the place of the channel's of the same names; return it."""
        table = models.company_channels
        mine = (table.c.company_id == channel.company_id, table.c.id == channel.id)
        async with self._database.company(channel.company_id) as tx:
            standing = (
                await tx.connection.execute(select(table.c.options).where(*mine).with_for_update())
            ).scalar_one()
            options = {**standing, **changed}
            await tx.connection.execute(update(table).where(*mine).values(options=options))
            before = {f"option.{name}": standing.get(name) for name in changed}
            after = {f"option.{name}": value for name, value in changed.items()}
            subject = f"channel {channel.id}"
            await self._audit.record(tx, Action.CHANNEL_TEMPLATE, subject=subject, before=before, after=after)
        await self.tell(channel.company_id)
        return replace(channel, options=options)

    async def set_channel_status(self, company_id: CompanyId, channel_id: ChannelId, status: ChannelStatus) -> None:
        table = models.company_channels
        action = Action.CHANNEL_DISABLE if status is ChannelStatus.DISABLED else Action.CHANNEL_ENABLE
        async with self._database.company(company_id) as tx:
            mine = (table.c.company_id == company_id, table.c.id == channel_id)
            was = await tx.connection.scalar(select(table.c.status).where(*mine).with_for_update())
            await tx.connection.execute(update(table).where(*mine).values(status=status.value))
            if was is not None:
                before, after = {"status": was}, {"status": status.value}
                await self._audit.record(tx, action, subject=f"channel {channel_id}", before=before, after=after)
        await self.tell(company_id)

    def channel_secrets(self, channel: Channel) -> dict[str, SecretStr]:
        """Decrypt a channel's secrets. Raises SecretError."""
        return self._keys.open_secrets(channel.secrets, company_id=channel.company_id, column=CHANNEL_SECRETS)

    def _changed(
        self, company_id: CompanyId, old: CrmSettings | None, secrets: Mapping[str, SecretStr]
    ) -> tuple[str, ...]:
        """Return the names of the secrets that are new or other than before."""
        try:
            known = self.crm_secrets(company_id, old) if old is not None else {}
        except SecretError:
            # What was lost with its key is being replaced: all of it is new.
            known = {}
        return tuple(sorted(name for name in {**known, **secrets} if known.get(name) != secrets.get(name)))

    async def tell(self, company_id: CompanyId) -> None:
        """Tell the other processes; one that does not hear it forgets the company within the directory's TTL."""
        if self._redis is not None:
            try:
                await self._redis.publish(self._news, str(company_id))
            except RedisError:
                return
