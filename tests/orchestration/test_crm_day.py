"""What staff are told of a day where the CRM is slow, refuses, or cannot tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from crm.base import Appointment, Capability, RecordId, Staff, StaffId
from crm.errors import CRMAuthFailed, CRMNotConfigured, CRMRateLimited, CRMUnavailable
from db.records import Branch, BranchId, new_id
from orchestration import crm_day
from orchestration.crm_day import CrmDay, Untold, read_crm_day, read_crm_days

DAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def branch(name="Центр"):
    return Branch(id=BranchId(new_id()), key=name, name=name, time_zone="Europe/Moscow")


def visit(record="1", *, at=NOON, master="Анна", cancelled=False):
    return Appointment(
        id=RecordId(record),
        starts_at=at,
        duration=timedelta(hours=1),
        staff=Staff(id=StaffId("1"), name=master),
        services=(),
        cancelled=cancelled,
    )


@dataclass
class Crm:
    """Answers a day with visits, an error, or not before the event."""

    visits: tuple[Appointment, ...] = ()
    error: Exception | None = None
    opens: asyncio.Event | None = None
    capabilities: frozenset[Capability] = frozenset({Capability.DAY})
    asked: list[date] = field(default_factory=list)

    async def list_day(self, day):
        self.asked.append(day)
        if self.opens is not None:
            await self.opens.wait()
        if self.error is not None:
            raise self.error
        return self.visits


class Scope:
    def __init__(self, crms):
        self._crms = crms

    def crm(self, branch_id):
        found = self._crms.get(branch_id)
        if found is None:
            raise CRMNotConfigured("none")
        return found


async def test_a_day_is_told_as_the_crm_has_it():
    place, crm = branch(), Crm(visits=(visit(),))

    told = await read_crm_day(Scope({place.id: crm}), place, DAY)

    assert told == CrmDay(visits=(visit(),), untold=None)
    assert crm.asked == [DAY]


@pytest.mark.parametrize("error", [CRMUnavailable("down"), CRMRateLimited("much"), CRMAuthFailed("no right")])
async def test_a_crm_that_fails_is_said_to_be_silent_and_not_empty(error):
    place = branch()

    assert (await read_crm_day(Scope({place.id: Crm(error=error)}), place, DAY)).untold is Untold.SILENT


async def test_what_cannot_be_asked_is_told_apart_from_what_does_not_answer():
    able, unable, none = branch(), branch(), branch()
    crm = Crm(capabilities=frozenset({Capability.LIST}))

    told = await read_crm_days(Scope({able.id: Crm(), unable.id: crm}), [(one, DAY) for one in (able, unable, none)])

    assert [told[one.id, DAY].untold for one in (able, unable, none)] == [None, Untold.CANNOT, Untold.CANNOT]
    assert crm.asked == []


async def test_a_slow_crm_does_not_hide_the_days_of_the_others(monkeypatch):
    monkeypatch.setattr(crm_day, "PATIENCE", timedelta(milliseconds=100))
    slow, quick = branch(), branch()
    scope = Scope({slow.id: Crm(opens=asyncio.Event()), quick.id: Crm(visits=(visit(),))})

    told = await read_crm_days(scope, [(slow, DAY), (quick, DAY)])

    assert told[slow.id, DAY].untold is Untold.SILENT
    assert told[quick.id, DAY].visits == (visit(),)


async def test_the_same_day_is_asked_for_once():
    place, crm = branch(), Crm()

    await read_crm_days(Scope({place.id: crm}), [(place, DAY), (place, DAY)])

    assert crm.asked == [DAY]


def test_a_masters_visits_ahead_are_told_without_the_known_ones():
    later = NOON + timedelta(hours=1)
    day = CrmDay(
        visits=(
            visit("passed"),
            visit("known", at=later),
            visit("other", at=later, master="Мария"),
            visit("off", at=later, cancelled=True),
            visit("new", at=later),
        )
    )

    assert [one.id for one in day.visits_of("Анна", but={"known"}, after=NOON)] == ["new"]
