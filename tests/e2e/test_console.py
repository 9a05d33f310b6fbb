"""The console in headless Chromium at a phone's size: staff sign in, watch, answer, and try the agent out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from db.records import InCharge
from db.shown_dialogues import ShownDialogues
from db.staff import Role
from house_chromium import CHROMIUM, IN_CHROMIUM, QUIET
from house_console import Salon

pytestmark = IN_CHROMIUM
PHONE = {"width": 390, "height": 844}
PAGES = ("dialogues", "day", "figures", "settings")


@pytest.fixture
async def salon(house):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    return Salon(house.core, house.company_id, snapshot.branches, await house.channel())


@pytest.fixture
async def open_phone(house):
    """A phone's browser; what it complains of (a script that failed, a policy that was broken) fails the test."""
    from playwright.async_api import async_playwright

    assert CHROMIUM is not None, "Chromium is required here and was not found"
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        async def opened(**how):
            context = await browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="ru-RU", **how)
            page = await context.new_page()
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            return page

        yield opened
        await browser.close()
    # What is refused on purpose is told there too.
    assert [one for one in complaints if "401 (Unauthorized)" not in one] == []


@pytest.fixture
async def phone(house, salon, open_phone):
    """An owner's, signed in."""
    page = await open_phone()
    page.member = await salon.enrol(Role.OWNER, name="Ольга")
    await enter(page, house, await salon.link(page.member))
    return page


async def enter(page, house, link):
    await page.goto(f"{house.url}{link}")
    await page.get_by_role("button", name="Войти").click()
    await page.locator("nav.tabs").wait_for()


async def keep(page, name):
    if folder := os.environ.get("AI_ADMIN_SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / f"{name}.png"))


async def fits(page):
    """Say whether the page is no wider than the phone, and whether whatever is tapped is large enough for a finger."""
    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    small = await page.evaluate(
        "[...document.querySelectorAll('button:not(.link), nav a, .choices a, .row')]"
        ".filter(one => one.offsetHeight && one.offsetHeight < 40).map(one => one.outerHTML)"
    )
    return wide <= 0 and small == []


async def in_charge(house):
    async with house.core.database.company(house.company_id) as tx:
        [one] = await ShownDialogues().list_latest(tx, branches=None, waiting_only=False, limit=5)
    return one.dialogue.in_charge


async def test_a_person_watches_answers_and_hands_back(house, phone):
    assert "Диалогов пока нет" in await phone.inner_text("main")
    client = house.client("Елена")
    await client.says("Здравствуйте! Сколько стоит окрашивание?")

    # It comes by itself.
    await phone.locator(".row", has_text="Елена").wait_for()
    await phone.locator(".row", has_text="Елена").click()
    await phone.locator(".call summary", has_text="get_services").click()
    assert "8000" in await phone.locator(".call pre").last.inner_text()
    await phone.fill("textarea[name=text]", "Здравствуйте, это Ольга. Подберу вам время сама.")
    await phone.get_by_role("button", name="Отправить").click()
    await phone.locator(".said.person", has_text="это Ольга").wait_for()
    await house.settles()
    assert client.heard[-1] == "Здравствуйте, это Ольга. Подберу вам время сама."
    assert await phone.input_value("textarea[name=text]") == "", "ready for the next words"
    assert await in_charge(house) is InCharge.PERSON

    # What the client writes now comes by itself, and what is being typed meanwhile stays.
    await phone.fill("textarea[name=text]", "Минут")
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Спасибо, жду!")
    await phone.locator(".said.client", has_text="Спасибо, жду!").wait_for()
    assert await phone.input_value("textarea[name=text]") == "Минут"
    assert "ждёт с" in await phone.inner_text(".charge")
    await keep(phone, "console-dialogue")
    assert await fits(phone)

    await phone.get_by_role("button", name="Вернуть помощнику").click()
    await phone.locator(".charge", has_text="отвечает помощник").wait_for()
    assert await in_charge(house) is InCharge.AGENT


async def test_who_waits_for_a_person_is_seen_first(house, phone):
    await house.client("Марина").says("Добрый день! Сколько стоит окрашивание?")
    await house.client("Елена").says("/person")
    await house.client("Динара").says("А вы работаете в воскресенье?")
    await house.settles()

    await phone.locator(".row").nth(2).wait_for()

    first = await phone.locator(".row").first.inner_text()
    assert "Елена" in first
    assert "ждёт" in first
    await keep(phone, "console-dialogues")
    await phone.get_by_role("link", name="Ждут человека").click()
    await phone.locator(".row").first.wait_for()
    assert await phone.locator(".row").count() == 1
    assert await fits(phone)


async def test_the_talk_stays_at_its_end(house, phone):
    client = house.client("Елена")
    for _ in range(6):
        await client.says("Сколько стоит окрашивание?")
    await phone.locator(".row", has_text="Елена").click()

    last = phone.locator(".said").first
    await last.wait_for()

    assert await last.evaluate("one => one.getBoundingClientRect().bottom <= window.innerHeight")
    assert await phone.evaluate("document.scrollingElement.scrollHeight <= window.innerHeight")


async def test_the_day_is_held_against_the_crm(house, phone):
    client = house.client("Елена")
    await client.reaches_proposal()
    await client.presses("Да, записать")

    await phone.goto(f"{house.url}/console/day?on=2026-11-25")
    await phone.locator(".visit .mark", has_text="в CRM так же").wait_for()

    told = await phone.inner_text(".visit")
    assert "15:00" in told
    assert client.phone not in told
    await keep(phone, "console-day")
    await phone.get_by_role("button", name="Показать номер").click()
    await phone.locator(f"a[href='tel:{client.phone}']").wait_for()
    assert await fits(phone)


async def test_the_figures_are_drawn(house, phone):
    client = house.client("Елена")
    await client.reaches_proposal()
    await client.presses("Да, записать")

    await phone.locator("nav.tabs a", has_text="Статистика").click()
    await phone.locator("svg.plot").first.wait_for()

    assert await phone.locator("svg.plot").count() == 5
    assert await phone.locator("svg.plot rect").count() > 0
    colour = await phone.locator("svg.plot rect").first.evaluate("one => getComputedStyle(one).fill")
    assert colour not in ("rgb(0, 0, 0)", "none"), "the style sheet does not reach the plots"
    await keep(phone, "console-figures")
    assert await fits(phone)


async def test_the_agent_is_tried_out_before_it_is_changed(house, phone):
    await phone.locator("nav.tabs a", has_text="Настройки").click()
    await phone.fill("textarea[name=instructions]", "Всегда хвалите выбор.")
    await phone.fill("textarea[name=question]", "Сколько стоит окрашивание?")
    await phone.get_by_role("button", name="Спросить").click()
    await phone.locator("#asked .said.agent", has_text="8000").wait_for()
    await phone.locator("#asked").scroll_into_view_if_needed()
    await keep(phone, "console-settings")
    saved = (await house.core.companies.get_snapshot(house.company_id)).agent
    assert saved.instructions != "Всегда хвалите выбор."

    await phone.get_by_role("button", name="Сохранить").click()
    await phone.locator(".note.good").wait_for()

    saved = (await house.core.companies.get_snapshot(house.company_id)).agent
    assert saved.instructions == "Всегда хвалите выбор."
    assert await fits(phone)


async def test_every_page_fits_the_phone_by_day_and_by_night(house, salon, open_phone):
    await house.client("Елена").says("Здравствуйте")
    for scheme in ("light", "dark"):
        page = await open_phone(color_scheme=scheme)
        await enter(page, house, await salon.link(await salon.enrol(Role.OWNER, name="Ольга")))
        grounds = set()
        for name in PAGES:
            await page.goto(f"{house.url}/console/{name}")
            assert await fits(page), name
            grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == 1
        dark = sum(int(part) for part in grounds.pop().removeprefix("rgb(").removesuffix(")").split(",")) < 200
        assert dark == (scheme == "dark")
        await page.goto(f"{house.url}/console/dialogues")
        await keep(page, f"console-{scheme}")
        await page.set_viewport_size({"width": 1280, "height": 800})
        for name in PAGES:
            await page.goto(f"{house.url}/console/{name}")
            edges = "[document.querySelector('nav.tabs').getBoundingClientRect().right,"
            edges += " document.querySelector('main').getBoundingClientRect().left]"
            tabs, main = await page.evaluate(edges)
            assert tabs <= main, name
            assert await fits(page), name
        await keep(page, f"console-wide-{scheme}")


async def test_whoever_is_dismissed_loses_the_page_that_is_open(house, salon, phone):
    await house.client("Елена").says("Здравствуйте")
    await phone.locator(".row", has_text="Елена").click()
    await phone.locator(".talk").wait_for()

    await salon.dismiss(phone.member)

    await phone.locator("h2", has_text="Вход для сотрудников").wait_for()
    assert await phone.locator(".talk").count() == 0


async def test_without_scripts_a_person_answers_all_the_same(house, salon, open_phone):
    client = house.client("Елена")
    await client.says("Здравствуйте")
    page = await open_phone(java_script_enabled=False)
    await page.goto(f"{house.url}{await salon.link(await salon.enrol(Role.OWNER, name='Ольга'))}")
    await page.get_by_role("button", name="Войти").click()

    await page.locator(".row", has_text="Елена").click()
    await page.fill("textarea[name=text]", "Здравствуйте!")
    await page.get_by_role("button", name="Отправить").click()
    await page.locator(".said.person", has_text="Здравствуйте!").wait_for()
    await house.settles()

    assert client.heard[-1] == "Здравствуйте!"
