"""What a turn at the salon Элита may hold a reply against."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.attacks.replies import evidence_after
from bot.company_file import parse_company_file

ELITA = Path(__file__).parents[3] / "examples" / "elita.yaml"


@pytest.fixture
def evidence():
    """Make the evidence of a turn in which the model has called this."""

    def make(called: str = "nothing", *, asked: str = "", saw_picture: bool = False):
        file = parse_company_file(ELITA.read_text(encoding="utf-8"))
        return evidence_after(file, called, asked=asked, saw_picture=saw_picture)

    return make
