"""Settings: by the rules of the company's file, written down, and nobody's change is lost to another's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.company_editing import (
    AGENT_FIELDS,
    OUTREACH_FIELDS,
    PEOPLE_FIELDS,
    PRIVACY_FIELDS,
    FieldFaults,
    edited,
    fields_of,
)
from db.outreach_settings import OutreachSettings
from db.people_settings import PeopleSettings
from db.records import AgentSettings
from db.staff import Role
from locales import Translator, languages

SETTINGS = "/console/settings"


def form(page):
    """The form as a browser would send it back."""
    fields = dict(re.findall(r'<input (?:type="hidden" |form="settings" )?name="([^"]+)" value="([^"]*)"', page))
    fields |= {
        name: text
        for name, text in re.findall(r'<textarea form="settings" name="([^"]+)"[^>]*>([^<]*)</textarea>', page)
    }
    for name, options in re.findall(r'<select form="settings" name="([^"]+)">(.*?)</select>', page, re.DOTALL):
        fields[name] = re.search(r'value="([^"]*)" selected', options)[1]
    return {name: value for name, value in fields.items() if name not in ("csrf", "talk", "question")}


async def test_what_is_saved_is_what_the_agent_goes_by_and_is_written_down(salon, sign_in, core, audit):
    browser = await sign_in(salon)
    fields = form(await browser.get(SETTINGS))

    told = await browser.post(SETTINGS, **{**fields, "instructions": "Говорите\r\nкоротко.", "quiet_seconds": "2.5"})

    agent = (await core.companies.get_snapshot(salon.company_id)).agent
    assert "Сохранено" in told
    assert agent.instructions == "Говорите\nкоротко."
    assert agent.quiet.total_seconds() == 2.5
    assert replace(agent, instructions=None, quiet=None) == AgentSettings()
    [entry] = await audit(salon.company_id, "agent.set")
    assert entry.actor == f"staff telegram:{browser.member.telegram_user_id}"
    assert set(entry.after) == {"agent.instructions", "agent.quiet"}


async def test_a_form_that_is_sent_back_as_it_is_changes_nothing(salon, sign_in, core, audit):
    browser = await sign_in(salon)
    before = (await core.companies.get_snapshot(salon.company_id)).agent

    await browser.post(SETTINGS, **form(await browser.get(SETTINGS)))

    assert (await core.companies.get_snapshot(salon.company_id)).agent == before


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("quiet_seconds", "много"),
        ("quiet_seconds", "31"),
        ("most_open_bookings", "0"),
        ("language", "xx"),
        ("instructions", "а" * 20_001),
        ("privacy.policy_url", "javascript:alert(1)"),
        ("privacy.keep_days.texts", "0"),
        ("privacy.notice", "maybe"),
        ("privacy.notice_text", "а" * 701),
        ("reminders", "5m"),
        ("quiet_hours", "9:00-9:00"),
        ("outreach.win_back_weeks", "никогда"),
        ("mode", "never"),
        ("people.ring_minutes", "0"),
        ("people.topics", "а" * 201),
    ],
)
async def test_a_field_that_says_what_it_must_not_is_marked_and_nothing_is_saved(salon, sign_in, core, field, wrong):
    browser = await sign_in(salon)
    fields = form(await browser.get(SETTINGS))

    told = await browser.post(SETTINGS, status=400, **{**fields, "description": "Другое", field: wrong})

    assert told.count('class="told"') == 1
    assert "Другое" in told, "what was typed is not lost"
    assert (await core.companies.get_snapshot(salon.company_id)).agent == AgentSettings()


async def test_who_began_before_somebody_else_saved_is_told_so(salon, sign_in, core):
    first, second = await sign_in(salon), await sign_in(salon)
    begun, other = form(await first.get(SETTINGS)), form(await second.get(SETTINGS))
    await second.post(SETTINGS, **{**other, "description": "Второй"})

    told = await first.post(SETTINGS, status=409, **{**begun, "description": "Первый"})

    assert "изменил кто-то другой" in told
    assert "Первый" in told
    assert (await core.companies.get_snapshot(salon.company_id)).agent.description == "Второй"


async def test_an_administrator_changes_no_settings(salon, sign_in, core):
    owner, administrator = await sign_in(salon), await sign_in(salon, Role.ADMINISTRATOR)
    fields = form(await owner.get(SETTINGS))

    await administrator.post(SETTINGS, status=403, **{**fields, "description": "Чужое"})

    assert (await core.companies.get_snapshot(salon.company_id)).agent.description is None


async def test_what_no_field_is_for_is_not_changed_by_a_form_that_names_it(salon, sign_in, core):
    browser = await sign_in(salon)
    fields = form(await browser.get(SETTINGS))

    await browser.post(SETTINGS, **{**fields, "budget.hard": "1000000", "model": "other", "services": "[]"})

    assert (await core.companies.get_snapshot(salon.company_id)).agent == AgentSettings()


# ---- the rules themselves


def test_every_field_is_shown_and_read_back_as_it_was():
    agent = edited(
        AgentSettings(),
        {
            "description": "О нас",
            "language": "kk",
            "quiet_seconds": "0.5",
            "most_open_bookings": "7",
            "tell_clients_of_crm_changes": "false",
            "mode": "if_unanswered",
            "people.topics": " жалоба \r\n\r\nвозврат",
            "reminders": "2h, 1d",
            "quiet_hours": "22:00-8:30",
            "outreach.thank_you": "false",
            "outreach.win_back_weeks": "5",
            "privacy.notice": "true",
            "privacy.keep_days.media": "3",
        },
    )

    assert set(fields_of(agent)) == {*AGENT_FIELDS, *PEOPLE_FIELDS, *OUTREACH_FIELDS, *PRIVACY_FIELDS}
    assert edited(AgentSettings(), fields_of(agent)) == agent
    assert agent.reminders == (timedelta(days=1), timedelta(hours=2))
    assert (str(agent.quiet_hours.begins), agent.outreach.thank_you) == ("22:00:00", False)
    assert (agent.mode, agent.people.topics) == ("if_unanswered", ("жалоба", "возврат"))
    assert (agent.language, agent.most_open_bookings, agent.tell_of_crm_changes) == ("kk", 7, False)
    assert (agent.privacy.notice, agent.privacy.hide_from_model, agent.privacy.keep.media) == (True, None, 3)


def test_what_people_have_set_in_the_file_alone_stays():
    people = PeopleSettings(modes={"whatsapp": "draft"}, crm_phrase="Клиенту:")

    changed = edited(AgentSettings(people=people), {"people.answer_minutes": "7"}).people

    assert changed == replace(people, answer_minutes=7)


def test_what_is_not_given_stays():
    agent = AgentSettings(description="О нас", instructions="Коротко")

    assert edited(agent, {"instructions": ""}) == replace(agent, instructions=None)


def test_every_fault_is_named_at_once():
    with pytest.raises(FieldFaults) as error:
        edited(AgentSettings(), {"quiet_seconds": "x", "privacy.keep_days.texts": "0", "language": "xx"})

    assert set(error.value.names) == {"quiet_seconds", "privacy.keep_days.texts", "language"}


def test_what_a_form_has_no_field_for_stays():
    by_channel = PeopleSettings(modes={"whatsapp": "draft"}, ring_minutes=5)
    by_service = OutreachSettings(win_back_weeks=5, win_back_services={"Маникюр": 3})

    agent = edited(
        AgentSettings(people=by_channel, outreach=by_service),
        {"people.answer_minutes": "7", "outreach.win_back_weeks": "6"},
    )

    assert agent.people == replace(by_channel, answer_minutes=7)
    assert agent.outreach == replace(by_service, win_back_weeks=6)


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_field_has_its_words(language):
    texts = Translator.for_language(language)
    fields = (*AGENT_FIELDS, *PEOPLE_FIELDS, *OUTREACH_FIELDS, *PRIVACY_FIELDS)
    keys = [name.replace(".", "-").replace("_", "-") for name in fields]

    assert all(texts.text(f"console-field-{key}") for key in keys)
    assert all(texts.text(f"console-fault-of-{key}") for key in keys)
