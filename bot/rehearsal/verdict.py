"""What a conversation came to, held against what its scenario says. Only the end state counts, not the way there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import comb

from bot.rehearsal.faults import Fault, FaultKind
from bot.rehearsal.scenario import Ends, Expected, Scenario
from sandbox.staff_side import CRMSandbox, Visit


def faults_of(
    scenario: Scenario, *, crm: CRMSandbox, others: Sequence[Visit], called: Sequence[str], told: str
) -> list[Fault]:
    """Return what is not as it should be. `others`: the visits of other people as they stood before."""
    ends = scenario.ends
    return [
        *_appointments(ends, _visits_of(crm, scenario.client.phone)),
        *_untouched(crm, others),
        *_handovers(ends, called),
        *(Fault(FaultKind.NEVER_SAID, one) for one in ends.said if _plain(one) not in _plain(told)),
        *(Fault(FaultKind.SAID, one) for one in ends.never_said if _plain(one) in _plain(told)),
    ]


def pass_hat(passed: int, runs: int, k: int) -> float:
    """Return the chance that k runs in a row all pass, as tau-bench estimates it: C(passed, k) / C(runs, k).

    Yao et al., "τ-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains" (2024), section 3.
    """
    return comb(passed, k) / comb(runs, k)


def standing(crm: CRMSandbox) -> list[Visit]:
    return [visit for visit in crm.list_visits() if not visit.cancelled]


def _visits_of(crm: CRMSandbox, phone: str) -> list[Visit]:
    return [visit for visit in standing(crm) if _digits(visit.phone) == _digits(phone)]


def _appointments(ends: Ends, visits: Sequence[Visit]) -> list[Fault]:
    """Match what should stand with what does, one to one."""
    left = list(visits)
    faults = []
    for wanted in ends.appointments:
        fitting = next((visit for visit in left if _fits(wanted, visit)), None)
        if fitting is None:
            faults.append(Fault(FaultKind.NO_APPOINTMENT, _wanted(wanted)))
        else:
            left.remove(fitting)
    return faults + [Fault(FaultKind.TOO_MANY, _stands(visit)) for visit in left]


def _fits(wanted: Expected, visit: Visit) -> bool:
    return (
        any(wanted.service.casefold() == one.casefold() for one in visit.services)
        and wanted.master in (None, visit.master)
        and wanted.at in (None, visit.starts)
    )


def _untouched(crm: CRMSandbox, others: Sequence[Visit]) -> list[Fault]:
    now = {visit.id: visit for visit in standing(crm)}
    return [
        Fault(FaultKind.TOUCHED, _stands(visit))
        for visit in others
        if visit.id not in now or now[visit.id].starts != visit.starts
    ]


def _handovers(ends: Ends, called: Sequence[str]) -> list[Fault]:
    if ends.handovers is None:
        return []
    missing = sorted(set(ends.handovers) - set(called))
    unwanted = sorted(set(called) - set(ends.handovers))
    return [
        *(Fault(FaultKind.NOT_CALLED, one) for one in missing),
        *(Fault(FaultKind.CALLED, one) for one in unwanted),
    ]


def _wanted(one: Expected) -> str:
    return ", ".join(str(part) for part in (one.service, one.master, one.at) if part is not None)


def _stands(visit: Visit) -> str:
    return f"{', '.join(visit.services)}, {visit.master}, {visit.starts:%Y-%m-%d %H:%M}"


def _plain(text: str) -> str:
    """Compare without case, and amounts without what sets their thousands apart."""
    return re.sub(r"(?<=\d)[ ,\u00a0\u202f](?=\d{3}(?!\d))", "", text.casefold())


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
