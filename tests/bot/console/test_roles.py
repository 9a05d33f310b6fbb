"""Each company sees its own, each role what is its; each look at a number is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.records import new_id
from db.staff import Role

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MATRIX = {
    # page: owner, administrator, administrator of one branch, master
    "/console/dialogues": (200, 200, 200, 403),
    "/console/dialogues/live": (200, 200, 200, 403),
    "/console/day": (200, 200, 200, 200),
    "/console/day/crm": (200, 200, 200, 200),
    "/console/figures": (200, 200, 403, 403),
    "/console/settings": (200, 403, 403, 403),
}
WHO = {
    "owner": {"role": Role.OWNER},
    "administrator": {"role": Role.ADMINISTRATOR},
    "administrator of one branch": {"role": Role.ADMINISTRATOR, "branches": ("b0",)},
    "master": {"role": Role.MASTER, "name": "Анна"},
}


@pytest.mark.parametrize("who", WHO)
async def test_each_role_sees_its_pages_and_is_shown_no_way_to_others(make_salon, sign_in, who):
    salon = await make_salon("elita", branches=2)
    browser, place = await sign_in(salon, **WHO[who]), list(WHO).index(who)

    home = await browser.get("/console")

    for path, expected in MATRIX.items():
        await browser.get(path, status=expected[place])
        if path.count("/") == 2:
            assert (f'href="{path}"' in home) == (expected[place] == 200)


@pytest.mark.parametrize("who", WHO)
async def test_each_role_does_only_what_is_its_to_do(make_salon, sign_in, who):
    salon = await make_salon("elita", branches=2)
    browser, place = await sign_in(salon, **WHO[who]), list(WHO).index(who)
    dialogue = await salon.dialogue("Елена", "Здравствуйте", phone="+79161234567")
    visit = await salon.visit(at=NOON, dialogue_id=dialogue)
    acts = {
        f"/console/dialogues/{dialogue}/take": (200, 200, 200, 403),
        f"/console/dialogues/{dialogue}/back": (200, 200, 200, 403),
        f"/console/dialogues/{dialogue}/phone": (200, 200, 200, 403),
        f"/console/day/{visit.id}/phone": (200, 200, 200, 403),
        # Its version is not the page's, so nothing is changed.
        "/console/settings": (409, 403, 403, 403),
        "/console/settings/ask": (400, 403, 403, 403),
    }

    for path, expected in acts.items():
        await browser.post(path, status=expected[place])


async def test_a_company_sees_nothing_of_anothers_whatever_ids_it_knows(make_salon, sign_in):
    mine, theirs = await make_salon("mine"), await make_salon("theirs")
    dialogue = await theirs.dialogue("Чужая", "Секрет", phone="+79161234567")
    visit = await theirs.visit(at=NOON, dialogue_id=dialogue)
    browser = await sign_in(mine)

    for path in (f"/console/dialogues/{dialogue}", f"/console/dialogues/{dialogue}/live"):
        assert "Секрет" not in await browser.get(path, status=404)
    for act in ("take", "answer", "back", "draft", "phone"):
        await browser.post(f"/console/dialogues/{dialogue}/{act}", status=404, text="x", once=str(new_id()))
    await browser.post(f"/console/day/{visit.id}/phone", status=404)
    for path in MATRIX:
        told = await browser.get(path)
        assert "Чужая" not in told
        assert "Клиент Анна" not in told


async def test_a_session_opens_its_own_company_only(make_salon, sign_in, open_browser):
    mine, theirs = await make_salon("mine"), await make_salon("theirs")
    browser, forger = await sign_in(mine), open_browser()
    [cookie] = list(browser.session.cookie_jar)

    forged = cookie.value.replace(mine.company_id.hex, theirs.company_id.hex)
    forger.session.cookie_jar.update_cookies({cookie.key: forged})
    await forger.get("/console/dialogues")

    assert forger.last.url.path == "/console"


async def test_an_administrator_of_a_branch_sees_its_dialogues_and_those_of_none(make_salon, sign_in):
    salon = await make_salon("elita", branches=2)
    ours, others, nobodys = [await salon.dialogue(name) for name in ("Наша", "Чужая", "Новая")]
    await salon.visit(at=NOON, branch=0, dialogue_id=ours)
    await salon.visit(at=NOON, branch=1, dialogue_id=others)
    browser = await sign_in(salon, Role.ADMINISTRATOR, branches=("b0",))

    told = await browser.get("/console/dialogues")

    assert "Наша" in told
    assert "Новая" in told
    assert "Чужая" not in told
    await browser.get(f"/console/dialogues/{nobodys}")
    await browser.get(f"/console/dialogues/{others}", status=404)
    await browser.post(f"/console/dialogues/{others}/take", status=404)


async def test_an_administrator_of_a_branch_sees_its_visits(make_salon, sign_in):
    salon = await make_salon("elita", branches=2)
    await salon.visit(at=NOON, staff="Анна", branch=0)
    other = await salon.visit(at=NOON, staff="Борис", branch=1)
    browser = await sign_in(salon, Role.ADMINISTRATOR, branches=("b0",))

    told = await browser.get("/console/day")

    assert "Клиент Анна" in told
    assert "Клиент Борис" not in told
    await browser.post(f"/console/day/{other.id}/phone", status=404)


async def test_a_master_sees_their_own_visits_with_numbers_masked(salon, sign_in):
    mine = await salon.visit(at=NOON, staff="Анна", staff_id="7")
    await salon.visit(at=NOON, staff="Анна", staff_id="8")
    await salon.visit(at=NOON, staff="Борис", staff_id="9")
    browser = await sign_in(salon, Role.MASTER, name="Анна Смирнова", crm_staff_id="7")

    told = await browser.get("/console/day")

    assert told.count("Клиент") == 1
    assert str(mine.id) not in told, "no way to the whole number"
    assert "1234567" not in told
    assert "67</span>" in told
    assert "/console/dialogues/" not in told


async def test_the_day_is_the_branchs_own_and_the_cancelled_are_said_so(salon, sign_in):
    await salon.visit(at=NOON - timedelta(days=1), staff="Вчера")
    # 00:30 in Moscow, still yesterday in UTC.
    await salon.visit(at=datetime(2026, 11, 23, 21, 30, tzinfo=UTC), staff="Ночь")
    await salon.visit(at=NOON, staff="Отмена", cancelled=True)
    browser = await sign_in(salon)

    today = await browser.get("/console/day")
    before = await browser.get("/console/day?on=2026-11-23")

    assert "Клиент Ночь" in today
    assert "00:30" in today
    assert "Клиент Вчера" not in today
    assert "отменено" in today
    assert "Клиент Вчера" in before
    assert "Клиент Ночь" not in before
    assert "Клиент Ночь" in await browser.get("/console/day?on=nonsense")


async def test_a_number_is_masked_until_somebody_asks_and_that_is_written_down(salon, sign_in, audit):
    dialogue = await salon.dialogue("Елена", "Мой номер 8 916 123-45-67", phone="+79161234567")
    visit = await salon.visit(at=NOON, dialogue_id=dialogue)
    browser = await sign_in(salon)
    pages = [
        await browser.get(path) for path in ("/console/dialogues", f"/console/dialogues/{dialogue}", "/console/day")
    ]
    assert await audit(salon.company_id, "phone.view") == []

    of_dialogue = await browser.post(f"/console/dialogues/{dialogue}/phone", htmx=True)
    of_visit = await browser.post(f"/console/day/{visit.id}/phone")

    assert all("123-45-67" not in page and "1234567" not in page for page in pages)
    assert 'href="tel:+79161234567"' in of_dialogue
    assert 'href="tel:+79161234567"' in of_visit
    seen = await audit(salon.company_id, "phone.view")
    assert [one.subject for one in seen] == [f"dialogue {dialogue}", f"appointment {visit.id}"]
    assert {one.actor for one in seen} == {f"staff telegram:{browser.member.telegram_user_id}"}


async def test_a_role_that_is_changed_counts_at_once(salon, sign_in):
    browser = await sign_in(salon)
    await browser.get("/console/settings")

    async with salon.core.database.company(salon.company_id) as tx:
        await tx.driver.execute("UPDATE staff SET role = 'master' WHERE id = $1", browser.member.id)

    await browser.get("/console/settings", status=403)


@pytest.mark.parametrize("language", ["ru", "en", "kk"])
async def test_every_page_is_in_the_companys_language(make_salon, sign_in, language):
    salon = await make_salon("elita", language=language)
    dialogue = await salon.dialogue("Elena", "Hi", "Hello", phone="+79161234567")
    await salon.visit(at=NOON, dialogue_id=dialogue)
    browser = await sign_in(salon)

    for path in (
        *MATRIX,
        f"/console/dialogues/{dialogue}",
        "/console/dialogues?show=waiting",
        "/console/figures?days=90",
    ):
        text = await browser.get(path)
        if "<html" in text:
            assert f'<html lang="{language}">' in text
