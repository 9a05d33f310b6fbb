"""A channel of one's own over `POST /process`."""

from __future__ import annotations

import secrets
from typing import Any

from bot.app import Core
from db.records import Channel, ChannelType, CompanyId
from handlers.process import MAY_PROVE_PHONES


async def add_api(core: Core, company_id: CompanyId, *, may_prove_phones: bool = False) -> dict[str, Any]:
    """Add the channel; its token is shown this once."""
    channel, token = await core.companies.add_channel(
        company_id,
        ChannelType.API,
        external_id=secrets.token_hex(8),
        name="api",
        options={MAY_PROVE_PHONES: may_prove_phones},
        secrets={},
        declare=True,
    )
    return {"id": str(channel.id), "bearer_token": token, "use": "POST /process, Authorization: Bearer <token>"}


async def renew_api(core: Core, channel: Channel, token: str) -> dict[str, Any]:
    """Tell the new token, this once."""
    return {"id": str(channel.id), "bearer_token": token}


async def check_api(core: Core, channel: Channel) -> dict[str, Any]:
    """There is nobody to ask."""
    return {"id": str(channel.id), "type": channel.type.value, "status": channel.status.value}
