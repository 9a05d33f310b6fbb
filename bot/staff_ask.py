"""What one member of the staff asks, with all that an answer to it needs; and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from db.audit import Actor
from db.engine import Transaction
from db.records import Branch, Channel, Dialogue
from db.staff import StaffMember
from locales import Translator
from orchestration.crm_day import NOT_ASKED, CrmDay, DayKey
from orchestration.messages import Button
from orchestration.scope import CompanyScope
from orchestration.staff_words import StaffWord


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAsk:
    """`bot`: through whom they ask; `where`: in which chat, a group or their own. All is written in `tx`."""

    tx: Transaction
    bot: Channel
    scope: CompanyScope
    where: Dialogue
    member: StaffMember
    word: StaffWord
    now: datetime
    crm_days: Mapping[DayKey, CrmDay] = field(default_factory=dict)
    """What was read of CRMs before the transaction, of what the words are about."""

    def crm_day(self, branch: Branch, day: date) -> CrmDay:
        """Return a branch's day as its CRM had it a moment ago."""
        return self.crm_days.get((branch.id, day), NOT_ASKED)

    @property
    def texts(self) -> Translator:
        """The words for staff: the company's language."""
        return Translator.for_language(self.scope.agent.language)

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit names them."""
        return Actor.staff("telegram", self.word.author)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAnswer:
    """What they are told. `closes`: the buttons of the message that was pressed are used up.

    `changes_company`: what processes keep of the company is old from the commit on; they are to be told.
    """

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    closes: bool = False
    changes_company: bool = False
    turn_id: UUID | None = None
    """What the message is found by again, where it is to be changed later."""
