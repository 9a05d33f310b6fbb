"""The demo's telephone call: one booking over the real routes, spoken through the local provider."""

from __future__ import annotations

import typer
from pydantic import SecretStr

from bot.app import Core
from bot.demo_vendors import AUTH_TOKEN, PHONE_HOST, PHONE_NUMBER
from db.records import ChannelType
from sandbox.staff_side import CRMSandbox
from sandbox.telephony.caller import Phone
from sandbox.telephony.provider import Provider
from sandbox.telephony.twiml import Refused

_CALLER = "+79160001122"
_SPEED = 8.0
"""Nobody waits for a demo to be read aloud in full."""
_WORDS = (
    "Здравствуйте, меня зовут Елена, хочу постричься завтра после обеда",
    "Женская стрижка, мастер Анна Смирнова",
    "Давайте в пятнадцать ноль-ноль, в 15:00",
    "Да",
)


async def call_and_book(core: Core, crm: CRMSandbox) -> bool:
    """Hold the call, print it, and say whether the appointment stands in the CRM."""
    token = await _number(core)
    url = f"http://127.0.0.1:{core.settings.port}"
    provider = Provider(auth_token=AUTH_TOKEN, connect_to=url, speed=_SPEED)
    phone = Phone(
        provider=provider, webhook_url=f"{PHONE_HOST}/api/v1/voice/webhook/{token}", number=_CALLER, to=PHONE_NUMBER
    )
    try:
        async with phone:
            typer.echo(f"    bot: {phone.transcript[0][1]}")
            for words in _WORDS:
                typer.echo(f"caller: {words}")
                typer.echo(f"    bot: {await phone.asks(words)}")
    except (Refused, TimeoutError, RuntimeError) as error:
        typer.echo(f"\nSELF TEST FAILED: {error} {provider.violations}", err=True)
        return False
    standing = [visit for visit in crm.list_visits() if not visit.cancelled]
    if len(standing) != 1 or provider.violations:
        typer.echo(f"\nSELF TEST FAILED: in the CRM {standing}; the provider refused {provider.violations}", err=True)
        return False
    slowest = max(phone.latencies_ms)
    typer.echo(f"\nSELF TEST OK: one call, 1 appointment in the CRM; first words at the latest after {slowest:.0f} ms")
    return True


async def _number(core: Core) -> str:
    """Give the demo's company its telephone number, and return the webhook's token."""
    from bot.channels.voice import PhoneNumber, add_voice

    company_id = await core.companies.get_company_id("elita")
    for channel in await core.companies.list_channels(company_id):
        if channel.type is ChannelType.VOICE and channel.external_id == PHONE_NUMBER:
            return await core.companies.rotate_token(channel)
    phone = PhoneNumber(number=PHONE_NUMBER, auth_token=SecretStr(AUTH_TOKEN))
    added = await add_voice(core, company_id, phone)
    return str(added["webhook"]).rsplit("/", 1)[1]
