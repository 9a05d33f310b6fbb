"""Figures by company stay affordable for ten thousand of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from db.records import ChannelType, Company, Usage, new_id
from orchestration.company_figures import SILENT_AFTER, CompanyFigures


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def shown(seconds):
    """What is counted, and what of it stands in the exposition."""
    figures, registry = CompanyFigures(seconds, most=100), CollectorRegistry()
    registry.register(figures)

    def lines():
        return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]

    figures.lines = lines
    return figures


def company(slug):
    return Company(id=new_id(), slug=slug, name=slug)


def busy(figures, one):
    """Let everything happen to a company that can."""
    for channel in ChannelType:
        figures.turn(one, channel, 2, 6.0)
    figures.accepted(one, 0.004)
    figures.refused(one)
    figures.spent(one, Usage(calls=1, prompt_tokens=1000, output_tokens=20, cached_tokens=800), 3_000)
    figures.budget(one, 0.25)
    for failed in (True, False):
        figures.crm_call(one.id, failed=failed)
    for outcome in ("sent", "failed"):
        figures.reply(one.id, outcome)
    figures.handover(one)


def test_a_company_to_which_everything_happens_has_thirty_series_at_most(shown):
    busy(shown, company("elita"))

    lines = shown.lines()
    # One more is read from the database for each broken channel: bot/figures.py.
    assert 20 < len(lines) + len(ChannelType) <= 30, lines


def test_it_tells_how_often_how_long_and_how_often_too_long(shown):
    one = company("elita")
    shown.turn(one, ChannelType.TELEGRAM, 2, 1.5)
    shown.turn(one, ChannelType.TELEGRAM, 1, 7.5)

    lines = shown.lines()
    assert 'ai_admin_company_turns_total{company="elita"} 2.0' in lines
    assert 'ai_admin_company_turn_seconds_total{company="elita"} 9.0' in lines
    assert 'ai_admin_company_slow_turns_total{company="elita"} 1.0' in lines
    assert 'ai_admin_company_messages_total{channel="telegram",company="elita"} 3.0' in lines or (
        'ai_admin_company_messages_total{company="elita",channel="telegram"} 3.0' in lines
    )


def test_a_company_silent_for_a_day_leaves_and_begins_at_nothing_when_it_is_back(shown, seconds):
    quiet, loud = company("quiet"), company("loud")
    shown.turn(quiet, ChannelType.API, 1, 1.0)
    seconds.now += SILENT_AFTER.total_seconds() / 2
    shown.turn(loud, ChannelType.API, 1, 1.0)
    assert any('"quiet"' in line for line in shown.lines())

    seconds.now += SILENT_AFTER.total_seconds() / 2 + 1
    assert not any('"quiet"' in line for line in shown.lines())
    assert any('"loud"' in line for line in shown.lines())
    shown.turn(quiet, ChannelType.API, 1, 1.0)
    assert 'ai_admin_company_turns_total{company="quiet"} 1.0' in shown.lines()


def test_what_is_counted_before_a_company_is_known_by_name_shows_once_it_is(shown):
    one = company("late")
    shown.crm_call(one.id, failed=True)
    assert shown.lines() == []

    shown.named(one)
    assert shown.lines() == ['ai_admin_company_crm_calls_total{company="late",outcome="failed"} 1.0']


def test_a_renamed_company_is_counted_on_under_its_new_name(shown):
    one = company("old")
    shown.handover(one)
    shown.named(one)
    shown.named(Company(id=one.id, slug="new", name="new"))

    assert shown.lines() == ['ai_admin_company_handovers_total{company="new"} 1.0']


def test_no_more_companies_are_kept_than_there_is_room_for(shown, seconds):
    for number in range(150):
        seconds.now += timedelta(seconds=1).total_seconds()
        shown.handover(company("x"))
        shown.named(company(f"c{number}"))

    assert len(shown._companies) == 100
