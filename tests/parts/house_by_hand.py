"""The house with a worker that does nothing by itself: each piece of work is taken by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from house_desk import IRINA
from pydantic import SecretStr

from bot.app import Core, build_gateway
from bot.lane import LEASE
from bot.worker_app import WorkerApp, open_worker
from db.staff import Role, Staff
from house_installation import ELITA, ELITA_BOT, STAFF_CHAT, Clock, Installation, Vendors
from sandbox.seeds import ELITA_ID
from sandbox.telegram.state import Chat


@asynccontextmanager
async def by_hand(
    core: Core, vendors: Vendors, clock: Clock, *, mode: str = "always"
) -> AsyncIterator[tuple[Installation, WorkerApp]]:
    """Open the salon Элита with Ирина at its staff chat; the gateway stores what comes, and nobody works on it."""
    settings = core.settings.model_copy(
        update={
            "telegram_api_url": vendors.telegram.url,
            "gemini_api_url": vendors.gemini.url,
            "gemini_api_key": SecretStr("sandbox"),
        }
    )
    core = replace(core, settings=settings)
    async with open_worker(core) as app:
        gateway = build_gateway(core)
        url = await gateway.start()
        core = replace(core, settings=settings.model_copy(update={"public_url": url}))
        house = Installation(core, vendors, clock, None, url, None, LEASE)  # type: ignore[arg-type]
        said = f"staff_chat: {STAFF_CHAT}\nmode: {mode}\n"
        text = ELITA.read_text(encoding="utf-8").replace("time_zone:", f"{said}time_zone:")
        house.company_id = await house.add_company(text, ELITA_BOT, account=str(ELITA_ID))
        vendors.telegram.state.bots[house.bots[house.company_id]].chats[STAFF_CHAT] = Chat(user=IRINA)
        async with core.database.company(house.company_id) as tx:
            _, code = await Staff().invite(tx, name=IRINA.first_name, role=Role.OWNER, now=clock())
            await Staff().enrol(tx, code, telegram_user_id=IRINA.id, now=clock())
        yield house, app
        await gateway.stop()
