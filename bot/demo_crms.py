"""The CRMs that the demo can use: which local server stands in for each, and how the company is connected to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.app import Core
from db.records import CompanyId
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.dikidi.server import DikidiServer
from sandbox.one_c.odata.staff_side import OneCODataSalon
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.seeds import elita_business, elita_salon
from sandbox.staff_side import CRMSandbox
from sandbox.yclients.staff_side import YclientsSalon

_PROBE_S = 2

DEMO_CRMS: Mapping[str, Callable[[], CRMSandbox]] = MappingProxyType(
    {
        "yclients": lambda: YclientsSalon(elita_business(), salon=elita_salon()),
        "bitrix24": lambda: Bitrix24Server(elita_business()),
        "dikidi": lambda: DikidiServer(elita_business()),
        "dikidi-link": lambda: DikidiServer(elita_business(), mode="link"),
        "1c": lambda: OneCServiceSalon(elita_business()),
        "1c-odata": lambda: OneCODataSalon(elita_business()),
    }
)
"""What `CRM=` may name: each server holds the same salon."""
LINK_ONLY = ("dikidi-link",)
"""Where the client books on the CRM's own page."""


async def connect_crm(core: Core, company_id: CompanyId, crm: CRMSandbox) -> None:
    """Point the demo's company at this server: every start has another port."""
    given = crm.connection()
    await core.companies.set_crm(
        company_id,
        given.type,
        options=given.options,
        secrets={name: SecretStr(value) for name, value in given.secrets.items()},
    )
    core.directory.forget(company_id)


async def find_lost_crm(core: Core, company_id: CompanyId) -> str | None:
    """Name the demo's CRM that this company was connected to, and whose server was a process that is gone."""
    crm = (await core.companies.get_snapshot(company_id)).crm
    if crm is None:
        return None
    secrets = {name: one.get_secret_value() for name, one in core.open_crm_secrets(company_id, crm).items()}
    for name, make in DEMO_CRMS.items():
        given = make().connection()
        if given.type == crm.type and _placeless(given.secrets) == _placeless(secrets):
            addresses = [value for value in (*crm.options.values(), *secrets.values()) if _is_local(value)]
            gone = [not await _answers(address) for address in addresses]
            return name if gone and all(gone) else None
    return None


def _placeless(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values with hosts and ports taken out of addresses: those differ from start to start."""
    return {name: urlsplit(value)._replace(netloc="").geturl() for name, value in values.items()}


def _is_local(value: str) -> bool:
    return urlsplit(value).hostname in ("127.0.0.1", "localhost")


async def _answers(address: str) -> bool:
    url = urlsplit(address)
    try:
        async with asyncio.timeout(_PROBE_S):
            _, writer = await asyncio.open_connection(url.hostname, url.port)
    except OSError:
        return False
    writer.close()
    return True
