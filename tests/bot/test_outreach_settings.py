"""What the agent may write of its own accord, as a company's file says it: read, written back, refused."""

from __future__ import annotations

import pytest

from bot.company_file import CompanyFileErrors, parse_company_file
from bot.company_writing import write_company_file
from db.outreach_settings import DEFAULT_OUTREACH, OutreachSettings, outreach_from_json, outreach_to_json

FILE = """\
name: Элита
slug: elita
language: ru
currency: RUB
outreach:
  thank_you: false
  win_back_weeks: 5
  win_back_services:
    Окрашивание: 8
time_zone: Europe/Moscow
services:
  - name: Окрашивание
"""
SETTINGS = OutreachSettings(thank_you=False, win_back_weeks=5, win_back_services={"Окрашивание": 8})


def test_a_file_is_read_and_written_back_to_the_byte():
    file = parse_company_file(FILE)

    assert file.agent.outreach == SETTINGS
    assert write_company_file(file) == FILE


def test_who_says_nothing_keeps_to_the_defaults_and_invites_nobody():
    file = parse_company_file("name: Элита\n")

    assert file.agent.outreach == DEFAULT_OUTREACH
    assert file.agent.outreach.win_back_weeks is None
    assert "outreach" not in write_company_file(file)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{win_back_weeks: 1}", "win_back_weeks"),
        ("{thank_you_after_hours: 24}", "thank_you_after_hours"),
        ("{win_backs: 5}", "did you mean 'win_back_weeks'"),
        ("{win_back_services: {Окрашивание: 8}}", "without win_back_weeks nobody is invited again"),
        ("{win_back_weeks: 5, win_back_services: {Маникюр: 3}}", "there is no service 'Маникюр'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(section, told):
    with pytest.raises(CompanyFileErrors, match=told):
        parse_company_file(f"name: Элита\nservices:\n  - name: Окрашивание\noutreach: {section}\n")


def test_only_what_differs_from_the_defaults_is_stored_and_what_is_newer_is_dropped():
    assert outreach_to_json(DEFAULT_OUTREACH) == {}
    assert outreach_from_json({**outreach_to_json(SETTINGS), "of_tomorrow": 1}) == SETTINGS
