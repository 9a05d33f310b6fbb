"""What a turn at the salon Элита may hold a reply against."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from bot.company_file import parse_company_file
from db.records import Company, CompanyId, CompanySnapshot, new_id
from locales import prompt_text
from orchestration.guards.evidence import evidence_of
from orchestration.ports import Content, ResultPart

ELITA = Path(__file__).parents[3] / "examples" / "elita.yaml"
TOOLS = ("get_services", "get_available_slots", "create_appointment", "my_appointments", "call_a_person")
NOW = datetime(2026, 11, 24, 12, 0)  # noqa: DTZ001 (the salon's wall clock)


def _slot(time: str, staff: str) -> dict[str, object]:
    what = {"service": "Стрижка женская", "price": "2500 руб.", "duration_min": 60, "date": "2026-11-25"}
    return {"slot_id": "s_0123456789", "weekday": "среда", "time": time, "staff": staff, **what}


RESULTS = {
    "services": {
        "services": [
            {"service_id": "501", "name": "Стрижка женская", "price": "2500 руб.", "duration_min": 60},
            {"service_id": "502", "name": "Окрашивание", "price": "8000 руб.", "duration_min": 180},
            {"service_id": "503", "name": "Маникюр", "price": "от 1800 до 2200 руб.", "duration_min": 90},
            {"service_id": "504", "name": "Свадебная причёска", "price": "6000 руб.", "duration_min": 120},
        ]
    },
    "staff": {
        "staff": [
            {"staff_id": "101", "name": "Анна Смирнова", "specialization": "Парикмахер-стилист"},
            {"staff_id": "102", "name": "Мария Иванова", "specialization": "Парикмахер"},
            {"staff_id": "103", "name": "Ольга Петрова", "specialization": "Мастер маникюра"},
        ]
    },
    "slots": {
        "slots": [
            *(_slot(time, "Анна Смирнова") for time in ("10:00", "12:30", "15:00")),
            *(_slot(time, "Мария Иванова") for time in ("11:00", "16:00")),
        ]
    },
    "mine": {
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
}


@pytest.fixture
def evidence():
    """Make the evidence of a turn in which the model has called these."""

    def make(*called: str, asked: str = "", saw_picture: bool = False):
        file = parse_company_file(ELITA.read_text(encoding="utf-8"))
        company = Company(id=CompanyId(new_id()), slug="elita", name=file.name)
        snapshot = CompanySnapshot(company=company, agent=file.agent, branches=file.branches, crm=None)
        parts = tuple(ResultPart(name=name, response=RESULTS[name]) for name in called)
        return evidence_of(
            snapshot,
            earlier=(),
            said=[Content(role="user", parts=parts)],
            history=(),
            client_words=asked,
            rules=prompt_text("ru"),
            tools=TOOLS,
            now=NOW,
            saw_picture=saw_picture,
        )

    return make
