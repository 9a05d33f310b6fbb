"""Coming in: a link is used once, a session ends where it should, and whoever is dismissed is out at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select

from bot.app import build_gateway
from bot.console.gate import LIVE
from db.console_models import console_links, console_sessions
from db.crypto import token_digest
from db.errors import NotFound
from db.staff import Role

DAY = "/console/day"


async def test_a_link_lets_its_member_in_by_a_button(salon, open_browser, audit):
    member = await salon.enrol(Role.OWNER, name="Ольга")
    link, browser = await salon.link(member), open_browser()

    asked = await browser.get(link)
    await browser.post(link, csrf="")

    assert "Вы входите как Ольга" in asked
    assert browser.last.url.path == "/console/dialogues"
    assert len(await audit(salon.company_id, "console.link")) == 1
    [entered] = await audit(salon.company_id, "console.sign_in")
    assert entered.actor == f"staff telegram:{member.telegram_user_id}"


async def test_looking_at_a_link_uses_nothing_up(salon, open_browser):
    link = await salon.link(await salon.enrol(Role.OWNER))

    for _ in range(3):
        await open_browser().get(link)

    await open_browser().post(link, csrf="")


async def test_a_link_that_was_used_opens_nothing_more(salon, open_browser):
    link = await salon.link(await salon.enrol(Role.OWNER))
    await open_browser().post(link, csrf="")

    again = open_browser()
    assert "Эта ссылка не подошла" in await again.get(link, status=404, **{"Accept-Language": "ru"})
    await again.post(link, csrf="", status=404)
    await again.get(DAY)

    assert again.last.url.path == "/console"


async def test_a_link_lasts_ten_minutes(salon, open_browser, clock):
    link = await salon.link(await salon.enrol(Role.OWNER))

    clock.advance(timedelta(minutes=9, seconds=59))
    await open_browser().get(link)
    clock.advance(timedelta(seconds=1))

    await open_browser().post(link, csrf="", status=404)


async def test_a_new_link_puts_the_one_before_out_of_use(salon, open_browser):
    member = await salon.enrol(Role.OWNER)
    first = await salon.link(member)
    second = await salon.link(member)

    await open_browser().post(first, csrf="", status=404)
    await open_browser().post(second, csrf="")


async def test_nobody_gets_a_link_who_is_not_enrolled_any_more(salon):
    member = await salon.enrol(Role.OWNER)
    await salon.dismiss(member)

    with pytest.raises(NotFound):
        await salon.link(replace(member, dismissed_at=salon.core.clock()))


async def test_a_link_opens_nothing_for_somebody_dismissed_since(salon, open_browser):
    member = await salon.enrol(Role.OWNER)
    link = await salon.link(member)
    await salon.dismiss(member)

    await open_browser().get(link, status=404)
    await open_browser().post(link, csrf="", status=404)


@pytest.mark.parametrize("token", ["nonsense", f"{'0' * 32}.{'A' * 43}", "x" * 2000, "%00", "..%2f..%2fetc"])
async def test_what_is_no_link_opens_nothing(open_browser, token):
    await open_browser().get(f"/console/enter/{token}", status=404)


async def test_a_link_of_one_company_with_anothers_name_opens_nothing(make_salon, open_browser):
    one, other = await make_salon("one"), await make_salon("other")
    link = await one.link(await one.enrol(Role.OWNER))

    await open_browser().post(link.replace(one.company_id.hex, other.company_id.hex), csrf="", status=404)


async def test_what_is_stored_is_no_token(salon, sign_in):
    member = await salon.enrol(Role.OWNER)
    link = await salon.link(member)
    browser = await sign_in(salon)
    [cookie] = [one.value for one in browser.session.cookie_jar]

    async with salon.core.database.company(salon.company_id) as tx:
        links = (await tx.connection.scalars(select(console_links.c.digest))).all()
        sessions = (await tx.connection.scalars(select(console_sessions.c.digest))).all()

    assert token_digest(link.rsplit(".", 1)[1]) in {bytes(one) for one in links}
    assert {bytes(one) for one in sessions} == {token_digest(cookie.split(".")[1])}
    assert cookie.split(".")[1].encode() not in b"".join([*map(bytes, links), *map(bytes, sessions)])


# ---- the cookie


async def test_the_cookie_is_for_this_server_and_no_script(salon, open_browser):
    browser = open_browser()
    await browser.post(await salon.link(await salon.enrol(Role.OWNER)), csrf="", follow=False, status=303)

    cookie = browser.last.headers["Set-Cookie"]
    assert cookie.startswith("ai-admin-console=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie


async def test_over_https_no_other_host_or_page_may_set_it(salon, core):
    secure = replace(core, settings=core.settings.model_copy(update={"public_url": "https://admin.example"}))
    gateway = build_gateway(secure)
    url = await gateway.start()
    link = await salon.link(await salon.enrol(Role.OWNER))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{link}", headers={"Origin": "https://admin.example"}, allow_redirects=False) as response,
    ):
        cookie = response.headers["Set-Cookie"]
    await gateway.stop()

    assert response.status == 303
    assert cookie.startswith("__Host-ai-admin-console=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


# ---- how it ends


async def out(browser):
    """Say whether the browser is sent back to the door."""
    await browser.get(DAY)
    return browser.last.url.path == "/console"


async def test_who_does_nothing_for_twelve_hours_is_out(salon, sign_in, clock):
    browser = await sign_in(salon)

    clock.advance(timedelta(hours=11))
    assert not await out(browser)
    clock.advance(timedelta(hours=11))
    assert not await out(browser)
    clock.advance(timedelta(hours=12))
    assert await out(browser)


async def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(salon, sign_in, clock):
    browser = await sign_in(salon)

    for _ in range(3):
        clock.advance(timedelta(hours=3, minutes=50))
        await browser.get("/console/dialogues/live", **{LIVE: "1", "HX-Request": "true"})
    clock.advance(timedelta(hours=1))

    assert await out(browser)


async def test_nobody_stays_longer_than_a_week(salon, sign_in, clock):
    browser = await sign_in(salon)

    for _ in range(16):
        clock.advance(timedelta(hours=10))
        assert not await out(browser)
    clock.advance(timedelta(hours=8))

    assert await out(browser)


async def test_whoever_is_dismissed_is_out_with_the_next_click(salon, sign_in):
    browser = await sign_in(salon)
    assert not await out(browser)

    await salon.dismiss(browser.member)

    assert await out(browser)
    await browser.get("/console/dialogues/live", status=401, **{"HX-Request": "true"})
    assert browser.last.headers["HX-Redirect"] == "/console"


async def test_a_company_that_is_switched_off_has_no_console(salon, sign_in, core):
    browser = await sign_in(salon)
    await core.companies.set_disabled(salon.company_id, disabled=True)

    assert await out(browser)


async def test_who_signs_out_is_out_wherever_the_cookie_is(salon, sign_in, open_browser):
    browser, thief = await sign_in(salon), open_browser()
    [cookie] = list(browser.session.cookie_jar)
    thief.session.cookie_jar.update_cookies({cookie.key: cookie.value})
    assert not await out(thief)

    await browser.post("/console/leave")

    assert await out(browser)
    thief.session.cookie_jar.update_cookies({cookie.key: cookie.value})
    assert await out(thief)


async def test_guessing_is_slowed_down_by_address_and_nobody_else_is(salon, open_browser, clock, sign_in):
    link = await salon.link(await salon.enrol(Role.OWNER))
    guesser = open_browser()
    for _ in range(20):
        await guesser.get(f"/console/enter/{salon.company_id.hex}.{'A' * 43}", status=404)

    told = await guesser.get(f"/console/enter/{salon.company_id.hex}.{'A' * 43}", status=429)

    assert "Слишком много попыток" in told or "Too many tries" in told
    assert int(guesser.last.headers["Retry-After"]) > 0
    clock.advance(timedelta(seconds=6))
    await open_browser().post(link, csrf="")
