"""The demo's page in headless Chromium: a person books there and watches the appointment appear in the salon's day."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from house_chromium import CHROMIUM, IN_CHROMIUM, QUIET
from sandbox.page import Page, PageVendors

pytestmark = IN_CHROMIUM


@pytest.fixture
async def page(house):
    from playwright.async_api import async_playwright

    assert CHROMIUM is not None, "Chromium is required here and was not found"
    bot_id = house.bots[house.company_id]
    vendors = PageVendors(telegram=house.vendors.telegram, whatsapp=house.vendors.whatsapp, crm=house.salon_staff())
    server = Page(vendors, bot_id=bot_id, number_id=await house.whatsapp_number(), clock=house.clock)
    url = await server.start(model="scripted")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = await browser.new_page(viewport={"width": 1280, "height": 860})
        opened.set_default_timeout(20_000)
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        await opened.goto(url)
        yield opened
        await browser.close()
        assert errors == []
    await server.stop()


async def write(page, text):
    count = await page.locator(".message:not(.mine)").count()
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await answered(page, count)


async def answered(page, count):
    await page.locator(".message:not(.mine)").nth(count).wait_for()


async def book(page):
    await write(page, "Хочу постричься завтра после обеда")
    await write(page, "Женская стрижка, мастер Анна Смирнова")
    await write(page, "Давайте в 15:00")
    await page.click("#contact")
    await page.click("text=Да, записать")


async def test_a_person_books_on_the_page_and_sees_the_record_in_the_crm_day(house, page):
    await book(page)

    record = page.locator(".record")
    await record.wait_for()
    assert "15:00" in await record.inner_text()
    assert "Стрижка женская" in await record.inner_text()
    # The record appears with the CRM's write; the reply follows it through the outbox.
    await page.locator(".message:not(.mine)", has_text="Готово, вы записаны").wait_for()
    assert len(house.records()) == 1
    if folder := os.environ.get("AI_ADMIN_SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / "page.png"))


async def test_a_person_books_over_whatsapp_on_the_page_by_taps_alone(house, page):
    await page.click("#tab-whatsapp")
    await write(page, "записаться")
    for label in ("Стрижка женская", "Анна Смирнова"):
        count = await page.locator(".message:not(.mine)").count()
        await page.locator(".buttons button", has_text=label).last.click()
        await answered(page, count)
    for _ in range(2):
        count = await page.locator(".message:not(.mine)").count()
        await page.locator(".buttons").last.locator("button").first.click()
        await answered(page, count)
    await page.click("text=Да, записать")

    await page.locator(".message:not(.mine)", has_text="Готово, вы записаны").wait_for()
    assert len(house.records()) == 1
    if folder := os.environ.get("AI_ADMIN_SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / "page-whatsapp.png"))


async def test_the_page_says_in_the_readers_language_who_answers(page):
    in_russian = await page.inner_text("#model")
    await page.click("#language")

    assert in_russian == "Отвечает: сценарий (набор правил, не искусственный интеллект)"
    assert await page.inner_text("#model") == "Answered by: a script (a set of rules, not an AI model)"


async def test_the_page_fits_a_phone_and_speaks_english(page):
    await page.set_viewport_size({"width": 375, "height": 740})
    await page.click("#language")

    assert "front desk" in await page.inner_text("h1")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 375
    if folder := os.environ.get("AI_ADMIN_SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / "page-phone.png"))
