"""Many companies at once: copies of one that was made by an admin's own way, each with a Telegram bot of its own."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from bot.app import Core
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from db.columns import metadata
from db.crypto import CHANNEL_SECRETS, CRM_SECRETS, new_webhook_token, token_digest
from db.records import CompanyId, new_id

FIRST_BOT = 800_000_000
_ELITA = Path(__file__).parent.parent / "examples" / "elita.yaml"
_COPIED = ("companies", "branches", "company_agent_settings", "company_crm_settings")
_OWN = {
    "companies": {"id": "c.company_id", "slug": "c.slug", "name": "c.slug"},
    "branches": {"company_id": "c.company_id", "id": "c.branch_id"},
    "company_agent_settings": {"company_id": "c.company_id"},
    "company_crm_settings": {
        "company_id": "c.company_id",
        "options": "c.crm_options::jsonb",
        "secrets": "c.crm_secrets",
    },
}
_TEMPORARY = (
    "CREATE TEMPORARY TABLE crowd (company_id uuid, slug text, branch_id uuid, channel_id uuid, bot text,"
    " channel_secrets text, crm_options text, crm_secrets text, digest bytea)"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One company's bot, as its messenger knows it."""

    company_id: CompanyId
    bot_id: int
    webhook_token: str
    secret: str


def driver_url(database_url: str) -> str:
    """Return an address as the driver alone takes it."""
    return database_url.replace("postgresql+asyncpg", "postgresql", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crm:
    """The CRM that all of a crowd have. `{number}` in an option is the company's own: its base, say."""

    type: str
    options: Mapping[str, str]
    secrets: Mapping[str, str]

    def options_of(self, number: int) -> dict[str, str]:
        """Return the options of the company of this number."""
        return {name: value.replace("{number}", str(number)) for name, value in self.options.items()}


NO_CRM = Crm(type="yclients", options={"company_id": "4564"}, secrets={"partner_token": "x", "user_token": "y"})
"""One that is never asked."""


async def gather(core: Core, size: int, *, crm: Crm = NO_CRM) -> Sequence[Tenant]:
    """Make so many companies, each with this CRM."""
    pattern = await replace_from_file(core.companies, parse_company_file(_ELITA.read_text(encoding="utf-8")))
    crm_secrets = {name: SecretStr(value) for name, value in crm.secrets.items()}
    await core.companies.set_crm(pattern.id, crm.type, options=crm.options_of(0), secrets=crm_secrets)
    tenants, rows = [], []
    for number in range(size):
        company_id, token = CompanyId(new_id()), new_webhook_token()
        tenant = Tenant(company_id, FIRST_BOT + number, token, f"secret-{number:06}-{'x' * 20}")
        channel = {
            "token": SecretStr(f"{tenant.bot_id}:{'A' * 35}"),
            "secret_token": SecretStr(tenant.secret),
        }
        rows.append(
            (
                company_id, f"crowd-{number}", new_id(), new_id(), str(tenant.bot_id),
                core.keys.seal_secrets(channel, company_id=company_id, column=CHANNEL_SECRETS),
                json.dumps(crm.options_of(number)),
                core.keys.seal_secrets(crm_secrets, company_id=company_id, column=CRM_SECRETS),
                token_digest(token),
            )
        )  # fmt: skip
        tenants.append(tenant)
    await _write(core.owner_url, pattern.id, rows)
    return tenants


async def _write(owner_url: str, pattern: CompanyId, rows: Sequence[tuple[object, ...]]) -> None:
    connection = await asyncpg.connect(driver_url(owner_url))
    try:
        async with connection.transaction():
            await connection.execute(_TEMPORARY)
            await connection.copy_records_to_table("crowd", records=rows)
            for name in _COPIED:
                await connection.execute(_copy_of(name), pattern)
            await connection.execute(
                "INSERT INTO company_channels (company_id, id, type, external_id, name, status, secrets)"
                " SELECT company_id, channel_id, 'telegram', bot, '@' || slug, 'active', channel_secrets FROM crowd"
            )
            await connection.execute(
                "INSERT INTO webhook_tokens (digest, company_id, channel_id, address)"
                " SELECT digest, company_id, channel_id, 'telegram:' || bot FROM crowd"
            )
            await connection.execute("DROP TABLE crowd")
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def _copy_of(table: str) -> str:
    """Return the statement that gives each of the crowd a copy of the pattern's row."""
    columns = [column.name for column in metadata.tables[table].columns]
    values = [_OWN[table].get(name, f"p.{name}") for name in columns]
    key = "id" if table == "companies" else "company_id"
    given = f"SELECT {', '.join(values)} FROM {table} p, crowd c WHERE p.{key} = $1"  # noqa: S608 (our own names)
    return f"INSERT INTO {table} ({', '.join(columns)}) {given}"


ZIPF = 0.6
"""At 1, a tenth of all messages would be one salon's, far over the 50 a second that one company may bring in."""


def by_zipf(size: int, draws: int, *, seed: int = 1) -> list[int]:
    """Draw companies by a Zipf law: few are written to often, most seldom."""
    weights = [(rank + 1) ** -ZIPF for rank in range(size)]
    return random.Random(seed).choices(range(size), weights, k=draws)
