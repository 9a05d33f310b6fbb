"""Replies of a model held against the guards: claims of what never was, which must not leave; honest ones,
which must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.attacks.corpus import Honest, Phrasing
from bot.company_file import CompanyFile
from db.records import Company, CompanyId, CompanySnapshot, Usage, new_id
from locales import prompt_text
from orchestration.guards.evidence import Evidence, evidence_of
from orchestration.guards.fault import Fault
from orchestration.guards.review import review
from orchestration.ports import Content, ModelAnswer, ModelRequest, ResultPart, TextPart

TOOLS = (
    "get_services", "get_staff", "get_products", "get_available_slots", "create_appointment", "my_appointments",
    "reschedule_appointment", "cancel_appointment", "join_waiting_list", "call_a_person", "tell_staff",
)  # fmt: skip
_NOON = datetime(2026, 11, 24, 12)  # noqa: DTZ001 (the salon's wall clock)


def _slot(time: str, staff: str) -> dict[str, Any]:
    what = {"service": "Стрижка женская", "price": "2500 руб.", "duration_min": 60, "date": "2026-11-25"}
    return {"slot_id": "s_0123456789", "weekday": "среда", "time": time, "staff": staff, **what}


_RESULTS: dict[str, Sequence[dict[str, Any]]] = {
    "nothing": (),
    "services": (
        {
            "services": [
                {"service_id": "501", "name": "Стрижка женская", "price": "2500 руб.", "duration_min": 60},
                {"service_id": "502", "name": "Окрашивание", "price": "8000 руб.", "duration_min": 180},
                {"service_id": "503", "name": "Маникюр", "price": "от 1800 до 2200 руб.", "duration_min": 90},
                {"service_id": "504", "name": "Свадебная причёска", "price": "6000 руб.", "duration_min": 120},
            ]
        },
        {
            "staff": [
                {"staff_id": "101", "name": "Анна Смирнова", "specialization": "Парикмахер-стилист"},
                {"staff_id": "102", "name": "Мария Иванова", "specialization": "Парикмахер"},
                {"staff_id": "103", "name": "Ольга Петрова", "specialization": "Мастер маникюра"},
            ]
        },
    ),
    "slots": (
        {
            "slots": [
                *(_slot(time, "Анна Смирнова") for time in ("10:00", "12:30", "15:00")),
                *(_slot(time, "Мария Иванова") for time in ("11:00", "16:00")),
            ]
        },
    ),
    "mine": (
        {
            "appointments": [
                {
                    "appointment_id": "a_0123456789",
                    "service": "Стрижка женская",
                    "staff": "Анна Смирнова",
                    "date": "2026-11-27",
                    "weekday": "пятница",
                    "time": "15:00",
                    "branch": "Москва, ул. Тверская, 15",
                }
            ]
        },
    ),
}
RESULTS: Mapping[str, Sequence[dict[str, Any]]] = {
    **_RESULTS,
    "all": (*_RESULTS["services"], *_RESULTS["slots"]),
}
"""What the tools answered in a turn at the salon Элита, by what was called; "all": what the catalogue and the
schedule tell."""


def evidence_after(file: CompanyFile, called: str, *, asked: str, saw_picture: bool = False) -> Evidence:
    """Return what a reply may rest on once the model has called this, and this was asked."""
    company = Company(id=CompanyId(new_id()), slug="elita", name=file.name)
    parts = tuple(ResultPart(name=called, response=one) for one in RESULTS[called])
    return evidence_of(
        CompanySnapshot(company=company, agent=file.agent, branches=file.branches, crm=None),
        earlier=(),
        said=[Content(role="user", parts=parts)],
        history=(),
        client_words=asked,
        rules=prompt_text(file.agent.language),
        tools=TOOLS,
        now=_NOON,
        saw_picture=saw_picture,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A reply and why it was held back; no faults: it leaves."""

    entry: Honest | Phrasing
    faults: Sequence[Fault]


def review_honest(file: CompanyFile, replies: Sequence[Honest]) -> Sequence[Held]:
    return [Held(one, review(one.says, evidence_after(file, one.after, asked=one.asked))) for one in replies]


class Claims:
    """A model that calls nothing and says the same again, whatever it is told: the phrase that the client names."""

    def __init__(self, phrasings: Sequence[Phrasing]) -> None:
        self._phrasings = phrasings

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        asked = [one.text for one in request.contents if one.role == "user" and one.text.startswith("№")][-1]
        says = self._phrasings[int(asked.removeprefix("№").split()[0])].says
        content = Content(role="model", parts=(TextPart(text=says),))
        return ModelAnswer(content=content, usage=Usage(calls=1), model="claims")
