"""The command line as an admin uses it: exit codes, JSON, secrets on stdin, clear errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest

from bot.companies import create_from_file
from bot.worker_app import open_worker
from db.upgrade import head
from handlers.base import CHANNELS
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.seeds import elita_business

# A test starts up to a dozen processes of two to three seconds of work each; where an SDK is loaded, ten and more.
pytestmark = pytest.mark.timeout(300)

# Up to eleven processes one after the other, each of which loads SQLAlchemy and some of them aiogram.
pytestmark = pytest.mark.timeout(400)
ELITA = Path(__file__).parents[2] / "examples" / "elita.yaml"
SECRETS = "sandbox-partner-token\nsandbox-user-token\n"
BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-tests-000001"


async def test_a_company_goes_live_by_the_command_line_and_talks_in_the_terminal(admin, vendors):
    await admin("company", "import", str(ELITA))
    shown = json.loads(await admin("company", "show", "elita", "--json"))
    assert (shown["name"], shown["crm"]["type"], shown["channels"]) == ("Салон красоты Элита", "yclients", [])
    assert shown["channels_to_add"] == ["telegram"]
    assert await admin("company", "export", "elita") == ELITA.read_text(encoding="utf-8")

    options = ("-o", f"api_url={vendors.yclients.url}", "-o", "company_id=4564")
    await admin("crm", "set", "elita", "yclients", *options, stdin=SECRETS)
    checked = json.loads(await admin("crm", "check", "elita", "--json"))
    assert {line["status"] for line in checked} <= {"ok", "warning"}
    assert any("Маникюр" in line["what"] for line in checked)

    added = json.loads(await admin("channel", "add", "elita", "telegram", "--json", stdin=BOT_TOKEN + "\n"))
    assert added["bot"] == "@elita_bot"
    listed = json.loads(await admin("channel", "list", "elita", "--json"))
    assert [one["type"] for one in listed] == ["telegram"]

    exported = await admin("company", "export", "elita")
    assert "user_token" not in exported
    assert "Стрижка женская" in exported

    talk = await admin(
        "chat",
        "elita",
        "--phone",
        "+79160000009",
        "--name",
        "Елена",
        stdin="Хочу постричься завтра после обеда\nЖенская стрижка, мастер любой\nДавайте в 15:00\n1\n\n",
    )
    assert "Записать вас?" in talk
    assert "Готово, вы записаны" in talk


async def test_commands_are_read_in_the_terminal_too(admin):
    await admin("company", "import", str(ELITA))

    talk = await admin("chat", "elita", stdin="/start\n/help\n")

    assert "Я цифровой помощник «Салон красоты Элита»" in talk
    assert "Ваши записи: /my" in talk


async def test_the_listing_commands_speak_json_and_tables(admin):
    await admin("company", "create", "Салон", "--slug", "salon")

    assert json.loads(await admin("company", "list", "--json"))[0]["slug"] == "salon"
    assert "salon" in await admin("company", "list")
    assert json.loads(await admin("agent", "show", "salon", "--json"))["language"] == "ru"
    assert await admin("dialogues", "salon") == "none\n"
    assert json.loads(await admin("dead", "list", "--json")) == []
    assert json.loads(await admin("db", "check", "--json")) == {"schema": head(), "wanted": head()}
    assert (await admin("keys", "new")).startswith("k")
    await admin("company", "disable", "salon")
    assert json.loads(await admin("company", "show", "salon", "--json"))["disabled"] is True
    await admin("company", "enable", "salon")
    await admin("agent", "set", "salon", "--from", str(ELITA))
    assert json.loads(await admin("agent", "show", "salon", "--json"))["business_type"] == "Салон красоты"


@pytest.mark.parametrize(
    ("arguments", "stdin", "exit_code", "says"),
    [
        (("company", "show", "nobody"), "", 1, "there is no company 'nobody'"),
        (("company", "import", "missing.yaml"), "", 1, "missing.yaml"),
        (("company",), "", 2, ""),
        (("channel", "add", "salon", "pigeon"), "", 2, "telegram, whatsapp, voice, api"),
        (("channel", "add", "salon", "voice"), "", 2, "--number"),
        (("channel", "add", "salon", "voice", "--number", "12"), "t\n", 1, "is not a phone number"),
        (("channel", "add", "salon", "voice", "--number", "+74951234567", "--provider", "bell"), "", 1, "bell"),
        (("channel", "add", "salon", "telegram"), "", 1, "nothing was given"),
        (("channel", "add", "salon", "whatsapp"), "", 2, "--phone-id"),
        (("channel", "add", "salon", "whatsapp", "--phone-id", "1"), "t\n", 1, "nothing was given"),
        (("channel", "add", "salon", "whatsapp", "--phone-id", "abc"), "t\ns\n", 1, "digits only"),
        (("channel", "add", "salon", "whatsapp", "--phone-id", "1"), "t\ns\n", 1, "Meta refused: 190"),
        (("channel", "add", "salon", "telegram"), "nonsense\n", 1, "not a bot token"),
        (("channel", "add", "salon", "telegram"), "1:" + "x" * 35 + "\n", 1, "Telegram refused"),
        (("channel", "check", "nonsense"), "", 1, "is not a channel id"),
        (("dead", "list", "--company", "nobody"), "", 1, "there is no company 'nobody'"),
        (("dead", "retry", "nonsense"), "", 1, "is not an update's id"),
        (("dead", "drop", "nonsense"), "", 1, "is not an update's id"),
        (("dead", "retry", str(UUID(int=1))), "", 1, "there is no dead update"),
        (("dead", "drop", str(UUID(int=1))), "", 1, "there is no dead update"),
        (("crm", "set", "salon", "other"), "", 2, "yclients"),
        (("crm", "set", "salon", "yclients", "-o", "user_token=x"), "", 1, "is a secret"),
        (("crm", "set", "salon", "yclients", "-o", "colour=red"), "", 1, "known options"),
        (("crm", "hook", "salon"), "", 1, "AI_ADMIN_PUBLIC_URL is not set"),
        (("crm", "hook", "salon", "--branch", "north"), "", 1, "name one branch"),
        (("crm", "mapping", "salon"), "", 1, "no CRM is set"),
        (("demo", "--crm", "unknown"), "", 2, "CRM=unknown"),
    ],
)
async def test_what_is_wrong_is_said_on_stderr(core, admin, arguments, stdin, exit_code, says):
    await create_from_file(core.companies, name="Салон", slug="salon", file=None)

    said = await admin(*arguments, stdin=stdin, exit_code=exit_code)

    assert says in said
    assert "Traceback" not in said


async def test_a_crm_is_connected_by_one_command_that_says_at_once_what_works(core, admin):
    await create_from_file(core.companies, name="Салон", slug="salon", file=None)
    portal = Bitrix24Server(elita_business(), threshold=100_000)
    await portal.start()
    try:
        webhook = portal.connection().secrets["webhook_url"]
        half = await admin("crm", "set", "salon", "bitrix24", "-o", "masters_property=102", stdin=f"{webhook}\n\n\n\n")
        whole = await admin(
            "crm",
            "set",
            "salon",
            "bitrix24",
            *("-o", "masters_property=102", "-o", "duration_property=101"),
            stdin=f"{webhook}\n\n\n\n",
        )
        mapping = json.loads(await admin("crm", "mapping", "salon", "--json"))
    finally:
        await portal.stop()
    address = await admin("crm", "hook", "salon", AI_ADMIN_PUBLIC_URL="https://admin.example.com")

    assert "set duration_property" in half
    assert "something is missing" in half
    # In the evening nothing is free today any more.
    assert re.search(r"free times on [67] of the next 7 days", whole)
    assert "something is missing" not in whole
    assert {line["in the CRM"] for line in mapping} == {"found"}
    assert "https://admin.example.com/api/v1/crm/webhook/" in address


async def test_a_bad_file_changes_nothing(admin, tmp_path):
    (tmp_path / "bad.yaml").write_text("name: Салон\nslug: salon\nservices:\n  - price: x\n", encoding="utf-8")

    said = await admin("company", "import", "bad.yaml", exit_code=1)

    assert "nothing was changed" in said
    assert "line 4" in said
    assert json.loads(await admin("company", "list", "--json")) == []


async def test_a_worker_serves_exactly_the_channels_that_this_version_names(core):
    async with open_worker(core) as app:
        assert set(app.channels) == set(CHANNELS)


async def test_production_without_keys_does_not_start(admin):
    said = await admin("gateway", exit_code=1, AI_ADMIN_MODE="production", AI_ADMIN_MASTER_KEYS="")

    assert "ai-admin keys new" in said


async def test_the_doctor_says_what_to_do_and_leaves_by_what_it_found(admin):
    rows = json.loads(await admin("doctor", "--json"))

    found = {row["what"]: row["status"] for row in rows}
    assert found.pop("redis persistence") == "warning"
    assert set(found.values()) == {"ok"}
    assert {"settings", "database", "schema", "redis", "gemini model", "keys", "secrets", "dead letters"} <= set(found)
    [persistence] = [row for row in rows if row["what"] == "redis persistence"]
    assert "set appendonly yes" in persistence["advice"]
    shown = await admin("doctor")
    assert f"→ {persistence['advice']}" in shown
    assert f"0 failed, 1 warnings, {len(rows) - 1} ok" in shown
    assert await admin("doctor", "--strict", exit_code=1) == ""
    assert await admin("doctor", exit_code=1, AI_ADMIN_DATABASE_URL="postgresql+asyncpg://x@127.0.0.1:1/x") == ""


async def test_the_doctor_tells_of_settings_that_cannot_be_used(admin):
    assert await admin("doctor", exit_code=1, AI_ADMIN_PORT="eighty") == ""


async def test_a_whatsapp_number_is_checked_and_what_to_enter_in_metas_console_is_printed(core, admin, vendors):
    await create_from_file(core.companies, name="Салон", slug="salon", file=None)
    vendors.whatsapp.add_number(vendors.whatsapp.add_app(), id_="111", token="number-token", name="Салон")
    command = ("channel", "add", "salon", "whatsapp", "--phone-id", "111", "--template", "answer", "--json")

    added = json.loads(await admin(*command, stdin="number-token\napp-secret\n"))
    checked = json.loads(await admin("channel", "check", added["id"], "--json"))
    again = await admin(*command, stdin="number-token\napp-secret\n", exit_code=1)

    assert "Салон" in added["number"]
    assert added["callback_url"].startswith("https://<your public address>/api/v1/whatsapp/webhook/")
    assert len(added["verify_token"]) > 20
    assert added["subscribe_to"] == "messages, smb_message_echoes"
    assert (checked["quality"], checked["template"], checked["status"]) == ("GREEN", "answer", "active")
    assert "is a channel of this company already" in again
    assert "number-token" not in json.dumps(added) + again
    assert "app-secret" not in json.dumps(added) + again
