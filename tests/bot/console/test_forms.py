"""Whose form it is, and what a browser may do with a page."""

from __future__ import annotations

import re

import pytest

from db.staff import Role

PAGES = ("/console/dialogues", "/console/day", "/console/figures", "/console/settings")
POSTS = ("take", "answer", "back", "draft", "phone")


@pytest.fixture
async def owner(salon, sign_in):
    return await sign_in(salon)


@pytest.fixture
async def talk(salon):
    return f"/console/dialogues/{await salon.dialogue('Елена', 'Здравствуйте')}"


async def test_a_form_with_everything_is_taken(owner, talk):
    await owner.post(f"{talk}/take")


@pytest.mark.parametrize("act", POSTS)
@pytest.mark.parametrize(
    "how",
    [
        {"csrf": "0" * 64},
        {"csrf": "-"},
        {"csrf": "нет"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "-"},
    ],
    ids=str,
)
async def test_a_form_that_is_not_of_our_page_and_session_is_refused(owner, talk, act, how):
    how = {name: "" if value == "-" else value for name, value in how.items()}
    told = await owner.post(f"{talk}/{act}", status=403, text="x", once="0" * 32, **how)

    assert "недоступны" in told


async def test_the_form_of_a_colleagues_session_is_refused(salon, owner, talk, sign_in):
    colleague = await sign_in(salon, Role.ADMINISTRATOR)

    await owner.post(f"{talk}/take", status=403, csrf=await colleague.csrf())


async def test_what_another_site_sends_is_refused_whatever_it_knows(owner, talk):
    owner.session.headers["Sec-Fetch-Site"] = "cross-site"

    await owner.post(f"{talk}/take", status=403)


async def test_a_sign_in_that_another_site_sends_is_refused(salon, open_browser):
    link = await salon.link(await salon.enrol(Role.OWNER))

    await open_browser().post(link, csrf="", origin="https://evil.example", status=403)
    await open_browser().post(link, csrf="")


async def test_nothing_is_changed_by_looking(owner, talk):
    for act in POSTS:
        await owner.get(f"{talk}/{act}", status=405)
    await owner.get("/console/leave", status=405)


@pytest.mark.parametrize("path", [*PAGES, "/console", "/console/nothing", "/console/dialogues/nothing"])
async def test_a_page_may_run_and_load_nothing_but_our_own_files(salon, owner, path):
    await salon.dialogue("Елена", "Здравствуйте", "Добрый день")
    text = await owner.get(path, status=404 if "nothing" in path else 200)

    policy = owner.last.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert owner.last.headers["X-Content-Type-Options"] == "nosniff"
    assert owner.last.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son[a-z]+=|javascript:", text)
    assert all(
        url.startswith("/console/static/") for url in re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', text)
    )


async def test_files_are_kept_for_ever_under_names_of_their_contents(owner):
    page = await owner.get("/console/dialogues")
    for path in re.findall(r'"(/console/static/[^"]+)"', page):
        await owner.get(path)
        assert "immutable" in owner.last.headers["Cache-Control"]
        assert re.search(r"\.[0-9a-f]{16}\.", path)
    await owner.get("/console/static/console.css", status=404)
    await owner.get("/console/static/..%2f..%2fapp.py", status=404)


async def test_what_a_client_writes_is_words_and_no_markup(salon, owner):
    said = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    dialogue = await salon.dialogue("<b>Елена</b>", said, said)

    for path in ("/console/dialogues", f"/console/dialogues/{dialogue}"):
        text = await owner.get(path)
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "<b>Елена" not in text
        assert "&lt;script&gt;" in text
