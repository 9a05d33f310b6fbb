"""`ai-admin staff link`: the link that opens the console, for who has no bot to ask it from."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, with_core

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="A member's name or id, from `staff list`.")]


def register(app: typer.Typer) -> None:
    """Put the command beside those of the staff."""
    app.command("link")(link)


def link(company: CompanyArgument, member: Member, as_json: AsJson = False) -> None:
    """Print a link that opens the console for a member: once, within ten minutes."""
    from bot.app import Core
    from bot.console.links import ConsoleLinks, console_address
    from db.staff import Staff

    async def make(core: Core) -> tuple[str, str]:
        company_id = await company_id_of(core, company)
        links = ConsoleLinks(console_address(core.settings), core.audit, core.clock)
        async with core.database.company(company_id) as tx:
            found = [
                one
                for one in await Staff().list(tx, now=core.clock())
                if one.enrolled_at is not None and (one.name == member or one.id == _id(member))
            ]
            if len(found) != 1:
                fail(f"{member!r} names {len(found) or 'none'} of the enrolled staff; `ai-admin staff list` shows them")
            return found[0].name, await links.make(tx, found[0])

    name, url = with_core(make)
    if as_json:
        show({"member": name, "url": url}, as_json=True)
    else:
        say(f"{name}: {url}")


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
