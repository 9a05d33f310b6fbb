"""What staff ask for and only the CRM knows, read before the turn's transaction begins: no CRM is waited for in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from bot.sick_watch import PHONES, branch_of
from db.engine import Database, Transaction
from db.records import Branch, CompanyId
from db.sick_days import SickDays
from db.staff import Staff, StaffMember
from locales import Translator
from orchestration.crm_day import CrmDay, DayKey, read_crm_days
from orchestration.ports import Clock
from orchestration.scope import CompanyScope
from orchestration.sick_day import read_order
from orchestration.staff_press import About, StaffPress, about_of
from orchestration.staff_rules import Right, branches_of, may
from orchestration.staff_words import StaffCommand, StaffWord


class StaffReading:
    """`staff`: who may ask; for anybody else no CRM is troubled."""

    def __init__(self, database: Database, staff: Staff, clock: Clock) -> None:
        self._database = database
        self._staff = staff
        self._sick = SickDays()
        self._clock = clock

    async def read(
        self, company_id: CompanyId, scope: CompanyScope, words: Sequence[StaffWord]
    ) -> Mapping[DayKey, CrmDay]:
        """Return the days that these words are about, as the branches' CRMs have them now."""
        asking = [word for word in words if word.command is StaffCommand.SICK or _asks_for_phones(word)]
        if not asking:
            return {}
        wanted: list[tuple[Branch, date]] = []
        async with self._database.company(company_id) as tx:
            for word in asking:
                member = await self._staff.find(tx, word.author) if word.author else None
                if member is not None and may(member, Right.MOVE_DAY):
                    wanted += await self._days_of(tx, scope, member, word)
        return await read_crm_days(scope, wanted) if wanted else {}

    async def _days_of(
        self, tx: Transaction, scope: CompanyScope, member: StaffMember, word: StaffWord
    ) -> list[tuple[Branch, date]]:
        mine = branches_of(member, scope.branches)
        if word.command is StaffCommand.SICK:
            texts, now = Translator.for_language(scope.agent.language), self._clock()
            order = (
                read_order(texts, word.argument, now.astimezone(ZoneInfo(mine[0].time_zone)).date()) if mine else None
            )
            return [(branch, order[1]) for branch in mine] if order is not None else []
        press = StaffPress.read(word.action or "", ids=1)
        sick = await self._sick.find(tx, press.ids[0]) if press is not None else None
        branch = branch_of(scope, sick)
        return [(branch, sick.day)] if sick is not None and branch is not None and branch in mine else []


def _asks_for_phones(word: StaffWord) -> bool:
    """Say whether somebody wants to know whom to phone."""
    if word.action is None or about_of(word.action) is not About.SICK:
        return False
    press = StaffPress.read(word.action, ids=1)
    return press is not None and press.answer == PHONES
