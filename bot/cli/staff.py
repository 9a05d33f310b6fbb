"""A company's staff: enrolled by a one-time code, listed, removed with all that they may see."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, say, show
from bot.cli.session import company_id_of, with_core
from bot.staff_members import Invitation, invite, list_members, remove
from db.staff import Role, StaffMember

app = typer.Typer(no_args_is_help=True)


@app.command()
def enrol(
    company: CompanyArgument,
    name: Annotated[str, typer.Option(help="What they are called, as colleagues read it.")],
    role: Annotated[Role, typer.Option(help="What they may do (docs/staff.md).")],
    branch: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A branch that they work in; again for each. None: all.")
    ] = None,
    master: Annotated[
        str | None, typer.Option(metavar="CRM_STAFF_ID", help="master only: who they are in the CRM.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a place for somebody; print the one-time code and link that open it. They are shown once, and last a day."""

    async def act(core: Core) -> Invitation:
        return await invite(
            core,
            await company_id_of(core, company),
            name=name,
            role=role,
            branches=branch or (),
            crm_staff_id=master,
        )

    made = with_core(act)
    told = {
        "id": str(made.member.id),
        "name": made.member.name,
        "role": made.member.role.value,
        "code": made.code,
        "links": list(made.links),
        "until": made.member.invited_until,
    }
    if as_json:
        show(told, as_json=True)
        return
    say(f"{name}, {role.value}: the code works once, until {made.member.invited_until:%Y-%m-%d %H:%M} UTC")
    for link in made.links:
        say(f"  {link}")
    if not made.links:
        say(f"  there is no Telegram bot yet (`ai-admin channel add`); later: /start staff-{made.code}")
    if role is Role.MASTER and master is None:
        say("  without --master their visits are found by the name, which must be as it is in the CRM")


@app.command("list")
def list_(company: CompanyArgument, as_json: AsJson = False) -> None:
    """List who is of the staff, and who was invited and has not come yet."""

    async def read(core: Core) -> list[StaffMember]:
        return list(await list_members(core, await company_id_of(core, company)))

    show([_row(one) for one in with_core(read)], as_json=as_json)


@app.command("remove")
def remove_(
    company: CompanyArgument,
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, Telegram id, or name where only one has it.")],
    as_json: AsJson = False,
) -> None:
    """End all of somebody's access at once: commands, clients' dialogues, the console, the staff groups."""

    async def act(core: Core) -> dict[str, Any]:
        company_id = await company_id_of(core, company)
        gone, left = await remove(core, company_id, member)
        groups = []
        if gone.telegram_user_id is not None:
            from bot.channels.telegram_groups import put_out_of_groups

            groups = list(await put_out_of_groups(core, company_id, gone.telegram_user_id))
        return {
            "id": str(gone.id),
            "name": gone.name,
            "role": gone.role.value,
            "groups": [{"chat": one.chat, "put_out": one.refused is None, "refused": one.refused} for one in groups],
            "branches_without_staff_chat": list(left),
        }

    told = with_core(act)
    if as_json:
        show(told, as_json=True)
        return
    say(f"{told['name']} ({told['role']}) is of the staff no more: commands, dialogues and buttons are closed to them")
    for group in told["groups"]:
        if group["put_out"]:
            say(f"  put out of the group {group['chat']}")
        else:
            say(f"  STILL IN the group {group['chat']}: put them out by hand ({group['refused']})")
    for key in told["branches_without_staff_chat"]:
        say(f"  the branch {key} has no staff chat any more: it was theirs. Set another in the company's file")


def _row(member: StaffMember) -> dict[str, Any]:
    return {
        "id": str(member.id),
        "name": member.name,
        "role": member.role.value,
        "branches": ", ".join(member.branches) or "all",
        "crm_staff_id": member.crm_staff_id,
        "telegram_id": member.telegram_user_id,
        "enrolled_at": member.enrolled_at,
        "invited_until": member.invited_until,
    }
