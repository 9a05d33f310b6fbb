"""Who belongs to a company's staff, as the command line changes it: invited by a one-time code, dismissed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app import Core
from db.audit import Action
from db.errors import Conflict, NotFound
from db.records import ChannelType, CompanyId
from db.staff import Role, Staff, StaffMember
from db.staff_removal import end_access

_INVITED = "staff-"
"""What a one-time code follows in a link's parameter (handlers/telegram/staff.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A place for somebody. `code` is not kept and cannot be asked for again; `links` open it, one for each bot."""

    member: StaffMember
    code: str
    links: Sequence[str]


async def invite(
    core: Core,
    company_id: CompanyId,
    *,
    name: str,
    role: Role,
    branches: Sequence[str] = (),
    crm_staff_id: str | None = None,
) -> Invitation:
    """Make a place for somebody. Raises NotFound for a branch that is not there, Conflict for what a role has not."""
    snapshot = await core.companies.get_snapshot(company_id)
    known = [branch.key for branch in snapshot.branches]
    if unknown := [key for key in branches if key not in known]:
        raise NotFound(f"there is no branch {unknown[0]!r}; the company's are: {', '.join(known)}")
    if role is Role.OWNER and branches:
        raise Conflict("an owner is of all branches")
    if crm_staff_id is not None and role is not Role.MASTER:
        raise Conflict("only a master is known by an id in the CRM")
    async with core.database.company(company_id) as tx:
        member, code = await Staff().invite(
            tx, name=name, role=role, now=core.clock(), branches=branches, crm_staff_id=crm_staff_id
        )
        told = {"name": name, "role": role.value, "branches": list(branches), "crm_staff_id": crm_staff_id}
        await core.audit.record(tx, Action.STAFF_INVITE, subject=f"staff {member.id}", after=told)
    bots = [
        one.name.removeprefix("@")
        for one in await core.companies.list_channels(company_id)
        if one.type is ChannelType.TELEGRAM
    ]
    links = [f"https://t.me/{bot}?start={_INVITED}{code}" for bot in bots]
    return Invitation(member=member, code=code, links=links)


async def list_members(core: Core, company_id: CompanyId) -> Sequence[StaffMember]:
    """Return who is of the staff, and who was invited and may still come."""
    async with core.database.company(company_id) as tx:
        return await Staff().list(tx, now=core.clock())


async def remove(core: Core, company_id: CompanyId, who: str) -> tuple[StaffMember, Sequence[str]]:
    """End all of somebody's access; return them, and the branches that have no staff chat any more, as it was theirs.

    `who`: their id, their Telegram id, or their name where nobody else has it. Raises NotFound, Conflict.
    """
    now: datetime = core.clock()
    async with core.database.company(company_id) as tx:
        staff = Staff()
        found = [one for one in await staff.list(tx, now=now) if _is(one, who)]
        if not found:
            raise NotFound(f"nobody of the staff is {who!r}; `ai-admin staff list` shows them")
        if len(found) > 1:
            ids = ", ".join(str(one.id) for one in found)
            raise Conflict(f"{who!r} is the name of several: say which by the id ({ids})")
        member, left = await end_access(tx, staff, found[0].id, now=now)
        after = {"dismissed": True, **{f"branch.{key}.staff_chat": None for key in left}}
        await core.audit.record(
            tx,
            Action.STAFF_REMOVE,
            subject=f"staff {member.id}",
            before={"name": member.name, "role": member.role.value},
            after=after,
        )
    if left:
        await core.companies.tell(company_id)
    return member, left


def _is(member: StaffMember, who: str) -> bool:
    name = " ".join(member.name.split()).casefold()
    return who in (str(member.id), str(member.telegram_user_id)) or " ".join(who.split()).casefold() == name
