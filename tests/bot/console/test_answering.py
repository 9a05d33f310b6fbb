"""A person's part, over a running installation: what is done in the console reaches the client and the staff group."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from db.console_models import console_drafts
from db.dialogues import Dialogues
from db.records import InCharge, new_id
from db.shown_dialogues import ShownDialogues
from db.staff import Role
from house_console import Salon


@pytest.fixture
async def salon(house):
    return await Salon.of(house)


@pytest.fixture
def served(house):
    return house.url


async def dialogue_of(house):
    async with house.core.database.company(house.company_id) as tx:
        [one] = await ShownDialogues().list_latest(tx, branches=None, waiting_only=False, limit=5)
    return one


async def in_charge(house):
    return (await dialogue_of(house)).dialogue.in_charge


async def test_a_person_answers_from_the_console_and_the_agent_is_silent(house, salon, sign_in):
    client = house.client()
    await client.says("Здравствуйте, сколько стоит стрижка?")
    browser = await sign_in(salon, name="Ольга")
    page = f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}"

    told = await browser.post(f"{page}/answer", text="Здравствуйте, это Ольга!", once=str(new_id()), htmx=True)
    await house.settles()
    count = len(client.heard)
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "А окрашивание?")
    await house.settles()

    assert client.heard[-1] == "Здравствуйте, это Ольга!"
    assert len(client.heard) == count, "the agent has said nothing"
    assert "Здравствуйте, это Ольга!" in told
    assert 'name="once"' in told, "an empty form for the next words"
    assert await in_charge(house) is InCharge.PERSON
    assert "ждёт с" in await browser.get(f"{page}/live")


async def test_the_same_form_sent_twice_reaches_the_client_once(house, salon, sign_in):
    client = house.client()
    await client.says("Здравствуйте")
    browser, once = await sign_in(salon), str(new_id())
    page = f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}"

    for _ in range(2):
        await browser.post(f"{page}/answer", text="Сейчас посмотрю", once=once)
    await house.settles()

    assert client.heard.count("Сейчас посмотрю") == 1
    async with house.core.database.company(house.company_id) as tx:
        said = await Dialogues().list_recent_messages(tx, [(await dialogue_of(house)).dialogue.id], limit=20)
    assert [one.text for one in said].count("Сейчас посмотрю") == 1


async def test_taken_over_and_handed_back_the_agent_answers_again(house, salon, sign_in, audit):
    client = house.client()
    await client.says("Здравствуйте")
    browser = await sign_in(salon)
    page = f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}"

    taken = await browser.post(f"{page}/take", htmx=True)
    assert await in_charge(house) is InCharge.PERSON
    back = await browser.post(f"{page}/back", htmx=True)
    answer = await client.says("Сколько стоит окрашивание?")

    assert "отвечает человек" in taken
    assert "отвечает помощник" in back
    assert "8000" in answer.text
    for action in ("dialogue.take_over", "dialogue.hand_back"):
        [entry] = await audit(house.company_id, action)
        assert entry.actor == f"staff telegram:{browser.member.telegram_user_id}"


async def test_a_draft_is_shown_and_sent_by_a_press(house, salon, sign_in):
    agent = (await house.core.companies.get_snapshot(house.company_id)).agent
    await house.core.companies.set_agent(house.company_id, replace(agent, mode="draft"))
    house.core.directory.forget(house.company_id)
    client, browser = house.client(), await sign_in(salon)
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Сколько стоит окрашивание?")
    await house.settles()
    page = f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}"

    shown = await browser.get(page)
    draft = re.search(r'name="draft" value="([^"]+)"', shown)[1]
    assert client.heard == []
    sent = await browser.post(f"{page}/draft", draft=draft, act="send", htmx=True)
    await browser.post(f"{page}/draft", draft=draft, act="send", htmx=True)
    await house.settles()

    assert "8000" in shown[shown.index("said draft") :]
    assert "said draft" not in sent
    assert len(client.heard) == 1
    assert "8000" in client.heard[0]


async def test_the_agents_calls_stand_between_the_words(house, salon, sign_in):
    await house.client().says("Сколько стоит окрашивание?")
    browser = await sign_in(salon)

    text = await browser.get(f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}")

    # The newest comes first in the page, and is drawn last.
    places = [text.index(one) for one in ("said agent", "get_services", "said client")]
    assert places == sorted(places)
    assert "8000" in text[text.index("<pre>") :]


async def test_where_nothing_changed_nothing_is_sent(house, salon, sign_in):
    client = house.client()
    await client.says("Здравствуйте")
    browser = await sign_in(salon)
    page = f"/console/dialogues/{(await dialogue_of(house)).dialogue.id}"

    for path in ("/console/dialogues", page):
        shown = await browser.get(path)
        live = re.search(r'hx-get="([^"]+live[^"]*)"', shown)[1].replace("&amp;", "&")
        await browser.get(live, status=204)
    await client.says("Сколько стоит окрашивание?")

    assert "окрашивание" in await browser.get(live)


async def test_who_waits_comes_first_and_alone_where_that_is_asked_for(house, salon, sign_in):
    waiting, later = house.client("Ждущая"), house.client("Поздняя")
    await waiting.says("/person")
    await later.says("Здравствуйте")
    await house.settles()
    browser = await sign_in(salon)

    everybody = await browser.get("/console/dialogues")
    only = await browser.get("/console/dialogues?show=waiting")

    assert "Ждущая" in everybody
    assert "Поздняя" in everybody
    assert "Ждущая" in only
    assert "Поздняя" not in only


async def test_what_the_crm_says_of_the_day_is_shown(house, salon, sign_in):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    browser = await sign_in(salon)

    known = await browser.get("/console/day?on=2026-11-25")
    stands = await browser.get("/console/day/crm?on=2026-11-25")
    [record] = house.records()
    record["deleted"] = True
    gone = await browser.get("/console/day/crm?on=2026-11-25")

    assert "Анна Смирнова" in known
    assert 'hx-trigger="load"' in known
    assert "в CRM так же" in stands
    assert "в CRM отменено" in gone


# ---- the preview


async def ask(browser, talk, question, **fields):
    return await browser.post("/console/settings/ask", question=question, talk=str(talk), htmx=True, **fields)


async def test_the_agent_is_asked_by_what_stands_in_the_form(house, salon, sign_in):
    browser, talk = await sign_in(salon), new_id()

    told = await ask(browser, talk, "Сколько стоит окрашивание?", instructions="Всегда хвалите выбор.")

    assert "8000" in told
    async with house.core.database.company(house.company_id) as tx:
        [kept] = (await tx.connection.scalars(select(console_drafts.c.fields))).all()
    assert kept == {"instructions": "Всегда хвалите выбор."}
    assert "Всегда хвалите выбор." in str(house.vendors.gemini.requests[-1])
    assert (await house.core.companies.get_snapshot(house.company_id)).agent.instructions != "Всегда хвалите выбор."


async def test_nothing_that_a_preview_says_yes_to_is_carried_out(house, salon, sign_in):
    browser, talk = await sign_in(salon), new_id()
    await ask(browser, talk, "Хочу постричься завтра после обеда")
    await ask(browser, talk, "Женская стрижка, мастер Анна Смирнова")
    await ask(browser, talk, "Давайте в 15:00")
    proposed = await ask(browser, talk, "+79161234567")
    action = re.search(r'name="action" value="(yes:[^"]+)"', proposed)[1]

    told = await ask(browser, talk, "Да, записать", action=action)

    assert "ничего не изменено" in told
    assert house.records() == []


async def test_a_preview_calls_nobody_and_is_no_dialogue(house, salon, sign_in):
    browser = await sign_in(salon)
    before = house.staff_heard()

    await ask(browser, new_id(), "Позовите администратора, пожалуйста")
    await house.settles()

    assert house.staff_heard() == before
    assert "Диалогов пока нет" in await browser.get("/console/dialogues")


async def test_nobody_goes_on_with_a_preview_of_somebody_elses(house, salon, sign_in):
    talk = new_id()
    first, second = await sign_in(salon), await sign_in(salon)
    await ask(first, talk, "Хочу постричься завтра после обеда")
    await ask(second, talk, "Здравствуйте")

    async with house.core.database.company(house.company_id) as tx:
        drafts = (await tx.connection.scalars(select(console_drafts.c.preview_id))).all()
    assert len(set(drafts)) == 2


async def test_an_administrator_asks_no_preview(salon, sign_in):
    browser = await sign_in(salon, Role.ADMINISTRATOR)

    await browser.post("/console/settings/ask", status=403, question="?", talk=str(new_id()))


# ---- the way in, from the messenger


async def test_a_member_asks_the_bot_for_the_link_and_is_in(house, salon, open_browser, audit):
    person = house.client("Ольга")
    await salon.enrol(Role.OWNER, name="Ольга", telegram_user_id=person.user.id)

    told = (await person.says("/console")).text
    path = re.search(r"/console/enter/\S+", told)[0]
    browser = await open_browser().enter(path)

    assert browser.last.url.path == "/console/dialogues"
    [made] = await audit(house.company_id, "console.link")
    assert made.actor == f"staff telegram:{person.user.id}"


async def test_who_is_not_of_the_staff_gets_no_link(house, salon):
    answer = await house.client("Елена").says("/console")

    assert "/enter/" not in answer.text
