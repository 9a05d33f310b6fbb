"""Channels: add, list, rotate, renew, disable, check. Tokens are asked for or read from stdin, never arguments.

The messenger's SDK takes seconds to import: only the commands that speak to a messenger pay for it.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, ask_secret, fail, say, show
from bot.cli.session import company_id_of, with_core
from db.records import Channel, ChannelId, ChannelStatus, ChannelType
from handlers.base import channel_type

app = typer.Typer(no_args_is_help=True)

ChannelArgument = Annotated[str, typer.Argument(metavar="ID", help="The channel's id, from `channel list`.")]


@app.command()
def add(
    company: CompanyArgument,
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="telegram, whatsapp, voice, or api for a channel of your own.")
    ],
    phone_id: Annotated[str, typer.Option(help="whatsapp only: the phone number's id, from Meta's console.")] = "",
    template: Annotated[
        str, typer.Option(help="whatsapp only: an approved template for what comes a day too late for free words.")
    ] = "",
    template_language: Annotated[str, typer.Option(help="The language that the template was approved in.")] = "ru",
    template_takes_text: Annotated[bool, typer.Option(help="The template's {{1}} takes the words.")] = False,
    may_prove_phones: Annotated[
        bool, typer.Option(help="api only: its caller vouches for the phone numbers it names.")
    ] = False,
    number: Annotated[str, typer.Option(help="voice only: the business's telephone number, +74951234567.")] = "",
    provider: Annotated[str, typer.Option(help="voice only: twilio or voximplant.")] = "twilio",
    transfer_to: Annotated[
        str, typer.Option(help="voice only: where calls are passed on to; without it the first branch's phone.")
    ] = "",
    accept_caller_id: Annotated[
        bool, typer.Option(help="voice only: take the caller's number as proof (it can be forged).")
    ] = False,
    recorded: Annotated[bool, typer.Option(help="voice only: say at the start that the call is recorded.")] = False,
    voice: Annotated[str, typer.Option(help="voice only: the voice, by the provider's name.")] = "",
    tts_provider: Annotated[str, typer.Option(help="voice only: who speaks (Google, Amazon, ElevenLabs).")] = "",
    stt_provider: Annotated[str, typer.Option(help="voice only: who listens (Google, Deepgram).")] = "",
    streams: Annotated[
        bool,
        typer.Option(help="voice only: --no-streams where no WebSocket may be opened: slower, heard after the end."),
    ] = True,
    lines: Annotated[int, typer.Option(help="voice only: how many calls may stand at once.", min=1)] = 10,
    longest_minutes: Annotated[float, typer.Option(help="voice only: how long a call may take.", min=1)] = 15,
    as_json: AsJson = False,
) -> None:
    """Add a channel; its secrets are asked for, or read from stdin, a line each.

    Telegram: the bot's token is checked with getMe, and the webhook is set. WhatsApp: number and access token are
    checked with the Graph API, and what to enter in Meta's console is printed. Voice: what to enter at the provider is
    printed (docs/voice.md).
    """
    try:
        kind = channel_type(type_)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="TYPE") from error
    match kind:
        case ChannelType.TELEGRAM:
            token = ask_secret("Bot token (from @BotFather)")

            async def act(core: Core) -> dict[str, object]:
                from bot.channels.telegram import add_telegram

                return await add_telegram(core, await company_id_of(core, company), token)

        case ChannelType.WHATSAPP:
            if not phone_id:
                raise typer.BadParameter("a WhatsApp channel needs the number's id", param_hint="--phone-id")
            access_token = ask_secret("Access token (a system user's, in Meta's business settings)")
            app_secret = ask_secret("App secret (Meta's console, App settings, Basic)")

            async def act(core: Core) -> dict[str, object]:
                from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp

                number = WhatsAppNumber(
                    phone_number_id=phone_id,
                    token=access_token,
                    app_secret=app_secret,
                    template=_template(template, template_language, template_takes_text),
                )
                return await add_whatsapp(core, await company_id_of(core, company), number)

        case ChannelType.VOICE:
            if not number:
                raise typer.BadParameter("a voice channel needs the telephone number", param_hint="--number")
            auth_token = ask_secret("Auth token (Twilio's console)") if provider == "twilio" else None

            async def act(core: Core) -> dict[str, object]:
                from bot.channels.voice import PhoneNumber, add_voice

                phone = PhoneNumber(
                    number=number,
                    provider=provider,
                    auth_token=auth_token,
                    transfer_to=transfer_to,
                    accept_caller_id=accept_caller_id,
                    recorded=recorded,
                    voice=voice,
                    tts_provider=tts_provider,
                    stt_provider=stt_provider,
                    streams=streams,
                    lines=lines,
                    longest_minutes=longest_minutes,
                )
                return await add_voice(core, await company_id_of(core, company), phone)

        case ChannelType.API:

            async def act(core: Core) -> dict[str, object]:
                from bot.channels.api import add_api

                return await add_api(core, await company_id_of(core, company), may_prove_phones=may_prove_phones)

        case _:
            raise AssertionError(f"{kind} is said to be there, and cannot be added")
    show(with_core(act), as_json=as_json)


@app.command("list")
def list_(company: CompanyArgument, as_json: AsJson = False) -> None:
    """List a company's channels."""

    async def read(core: Core) -> list[Channel]:
        return list(await core.companies.list_channels(await company_id_of(core, company)))

    rows = [
        {"id": str(one.id), "type": one.type.value, "name": one.name, "status": one.status.value}
        for one in with_core(read)
    ]
    show(rows, as_json=as_json)


@app.command("rotate")
def rotate_(channel: ChannelArgument, as_json: AsJson = False) -> None:
    """Give the channel a new webhook address; the old one is dead at once."""

    async def act(core: Core) -> dict[str, object]:
        found = await find_channel(core, channel)
        from bot.channels.care import rotate

        return await rotate(core, found)

    show(with_core(act), as_json=as_json)


@app.command("renew")
def renew_(channel: ChannelArgument, as_json: AsJson = False) -> None:
    """Give the channel new credentials of the messenger's, and put it back to work: where it is broken, or disabled.

    They are asked for, or read from stdin, a line each, and tried with the messenger before they are kept.
    """

    async def act(core: Core) -> dict[str, object]:
        found = await find_channel(core, channel)
        from bot.channels.renewal import credentials_of, renew

        given = {name: ask_secret(title) for name, title in credentials_of(found).items()}
        return await renew(core, found, given)

    show(with_core(act), as_json=as_json)


@app.command("template")
def template_(
    channel: ChannelArgument,
    purpose: Annotated[
        str,
        typer.Argument(
            metavar="FOR", help="answer, reminder, waiting_list, thank_you, win_back: what the template says."
        ),
    ],
    name: Annotated[str, typer.Argument(help="The name that it was approved under.")],
    language: Annotated[str, typer.Option(help="The language that it was approved in.")] = "ru",
    takes_text: Annotated[bool, typer.Option(help="answer only: its {{1}} takes the words.")] = False,
    buttons: Annotated[
        int,
        typer.Option(min=0, max=6, help="not for answer: how many quick replies it has, in the order of the guide."),
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Say which approved template goes out where WhatsApp takes no free words any more."""

    async def act(core: Core) -> dict[str, object]:
        found = await find_channel(core, channel)
        from bot.channels.whatsapp import ANSWER, set_template

        answers = purpose == ANSWER
        more = {"takes_text": takes_text} if answers else {"buttons": buttons}
        return await set_template(core, found, purpose, {"name": name, "language": language, **more})

    show(with_core(act), as_json=as_json)


@app.command()
def disable(channel: ChannelArgument) -> None:
    """Close the channel's door."""

    async def act(core: Core) -> None:
        found = await find_channel(core, channel)
        await core.companies.set_channel_status(found.company_id, found.id, ChannelStatus.DISABLED)

    with_core(act)
    say(f"{channel} is disabled")


@app.command("check")
def check_(channel: ChannelArgument, as_json: AsJson = False) -> None:
    """Ask the messenger whether the channel works and what its webhook says."""

    async def act(core: Core) -> dict[str, object]:
        found = await find_channel(core, channel)
        from bot.channels.care import check

        return await check(core, found)

    show(with_core(act), as_json=as_json)


async def find_channel(core: Core, channel_id: str) -> Channel:
    """Find a channel by its id alone, whatever company it is of."""
    try:
        wanted = ChannelId(UUID(channel_id))
    except ValueError:
        fail(f"{channel_id!r} is not a channel id; `ai-admin channel list COMPANY` shows them")
    channels = [
        channel
        for company in await core.companies.list_companies()
        for channel in await core.companies.list_channels(company.id)
        if channel.id == wanted
    ]
    return channels[0] if channels else fail(f"there is no channel {channel_id}")


def _template(name: str, language: str, takes_text: bool) -> dict[str, object] | None:
    return {"name": name, "language": language, "takes_text": takes_text} if name else None
