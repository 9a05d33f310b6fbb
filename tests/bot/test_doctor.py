"""`ai-admin doctor`: each thing made wrong on purpose, and the row that says so and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.doctor.companies import look_at_ciphertexts
from bot.doctor.machine import FREE_FAILS, FREE_WARNS, judge_room, look_at_disks, look_at_settings
from bot.doctor.models import look_at_clock, look_at_model
from bot.doctor.rows import Status
from bot.doctor.stores import judge_clock, judge_version, look_at_database, look_at_redis, look_at_schema, moment_of
from bot.settings import Mode, ModelProvider, Settings
from db.crypto import KeyRing, new_master_key
from db.upgrade import downgrade, head
from sandbox.openai.server import OpenAISandbox

pytestmark = pytest.mark.timeout(240)


def machine():
    return datetime.now(UTC)


async def test_of_an_installation_that_is_well_every_row_is_ok_but_what_the_test_servers_lack(examine):
    rows = await examine(whole=True)

    assert {what: row.status for what, row in rows.items() if row.status is not Status.OK} == {
        "redis persistence": Status.WARNING,
        # The file of the salon and its CRM differ in a price, on purpose.
        "elita: yclients main": Status.WARNING,
    }
    assert set(rows) >= {
        *("settings", "database", "clock, against the database's", "schema", "redis", "redis eviction"),
        *("disk of DATA_DIR", "gemini model", "gemini spare model", "clock, against the model's service", "keys"),
        *("secrets", "dead letters", "queue of messages", "queue of replies", "elita: telegram @elita_bot"),
    }


# ---- the machine and the stores


def test_settings_of_production_that_no_messenger_could_reach():
    settings = Settings(_env_file=None, mode=Mode.PRODUCTION, master_keys=SecretStr(new_master_key()))
    closed = settings.model_copy(update={"metrics_token": SecretStr("m"), "public_url": "http://example.com"})
    good = closed.model_copy(update={"public_url": "https://example.com"})

    assert [(row.what, row.status) for row in look_at_settings(settings)] == [
        ("settings", Status.OK),
        ("public address", Status.WARNING),
        ("metrics", Status.WARNING),
    ]
    assert [row.detail for row in look_at_settings(closed)][1:] == ["AI_ADMIN_PUBLIC_URL is not https://"]
    assert len(look_at_settings(good)) == 1


async def test_a_database_that_is_away_stops_no_other_row(examine):
    rows = await examine(whole=True, database_url="postgresql+asyncpg://nobody:canary-word@127.0.0.1:1/none")

    assert rows["database"].status is Status.FAILED
    assert rows["schema"].status is Status.FAILED
    assert "canary-word" not in str(rows)
    assert rows["companies"].detail == "not examined: database first"
    assert rows["gemini model"].status is Status.OK
    assert rows["redis"].status is Status.OK


def test_a_database_that_is_too_old_is_no_database_for_us():
    assert judge_version(140_019, "14.19").status is Status.FAILED
    assert judge_version(150_004, "15.4").status is Status.OK


async def test_a_schema_that_is_behind_is_a_failure_in_production_and_nothing_is_brought_up(core, database_url):
    await downgrade(database_url, "0010")

    [row] = await look_at_schema(database_url, Mode.PRODUCTION)

    assert (row.status, row.detail) == (Status.FAILED, f"at 0010, this program wants {head()}")
    assert "ai-admin db upgrade" in row.advice
    assert (await look_at_schema(database_url, Mode.DEVELOPMENT))[0].status is Status.WARNING


async def test_a_schema_of_a_newer_version_is_only_a_warning(core, database_url):
    engine = create_async_engine(database_url)
    async with engine.begin() as owner:
        await owner.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()

    [row] = await look_at_schema(database_url, Mode.PRODUCTION)

    assert row.status is Status.WARNING


@pytest.mark.parametrize(
    ("seconds", "status"), [(1, Status.OK), (-1, Status.OK), (3, Status.WARNING), (-31, Status.FAILED)]
)
async def test_a_clock_that_goes_wrong_against_the_databases_is_seen(database_url, seconds, status):
    _, row = await look_at_database(database_url, lambda: machine() + timedelta(seconds=seconds))

    assert row.status is status
    assert ("ahead" if seconds > 0 else "behind") in row.detail


async def test_a_clock_that_goes_wrong_against_the_model_services_is_seen_too(house):
    [late] = await look_at_clock(house.core.settings, lambda: machine() - timedelta(minutes=2))
    nobody = house.core.settings.model_copy(update={"gemini_api_url": "http://127.0.0.1:1"})

    assert late.status is Status.FAILED
    assert "NTP" in late.advice
    assert await look_at_clock(nobody, machine) == []


def test_a_date_of_http_is_read_and_what_is_none_is_not():
    assert moment_of("Sun, 06 Nov 1994 08:49:37 GMT") == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert moment_of("yesterday") is None
    assert moment_of("") is None
    assert judge_clock("clock", timedelta(seconds=2)).status is Status.OK


def test_a_disk_that_fills_up_warns_and_then_fails(tmp_path):
    assert judge_room("disk", FREE_WARNS).status is Status.OK
    assert judge_room("disk", FREE_WARNS - 1).status is Status.WARNING
    assert judge_room("disk", FREE_FAILS - 1).status is Status.FAILED
    settings = Settings(_env_file=None, data_dir=tmp_path / "not" / "there")
    [row] = look_at_disks(settings, None)
    assert row.what == "disk of DATA_DIR"
    assert not (tmp_path / "not").exists()


@pytest.fixture
async def own_redis(settings):
    """The test's Redis by a client of its own; what a test sets there is put back."""
    redis = Redis.from_url(settings.redis_url, decode_responses=True)
    names = ("appendonly", "save", "maxmemory-policy", "maxmemory")
    before = {name: (await redis.config_get(name))[name] for name in names}
    yield redis
    for name, value in before.items():
        await redis.config_set(name, value)
    await redis.aclose()


async def rows_of(redis):
    return {row.what: row for row in await look_at_redis(redis)}


async def test_redis_is_looked_at_for_what_it_throws_away_and_what_it_forgets(own_redis):
    await own_redis.config_set("save", "")
    none = await rows_of(own_redis)
    await own_redis.config_set("save", "3600 1")
    await own_redis.config_set("maxmemory-policy", "allkeys-lru")
    some = await rows_of(own_redis)

    assert none["redis persistence"].status is Status.WARNING
    assert "nothing that has to last stands in Redis" in none["redis persistence"].advice
    assert none["redis eviction"].status is Status.OK
    assert (some["redis persistence"].status, some["redis persistence"].detail) == (Status.OK, "snapshots (3600 1)")
    assert some["redis eviction"].status is Status.WARNING
    assert "allkeys-lru" in some["redis eviction"].detail
    assert "noeviction" in some["redis eviction"].advice


async def test_where_redis_refuses_config_info_is_asked_and_where_it_refuses_both_that_is_said(own_redis, settings):
    await own_redis.config_set("maxmemory-policy", "volatile-ttl")
    found = {}
    for name, rights in (("managed", "-config"), ("mute", "-config -info")):
        await own_redis.execute_command("ACL", "SETUSER", name, "on", ">pw", "~*", "+@all", *rights.split())
        limited = Redis.from_url(settings.redis_url, username=name, password="pw", decode_responses=True)
        found[name] = await rows_of(limited)
        await limited.aclose()
        await own_redis.execute_command("ACL", "DELUSER", name)

    assert found["managed"]["redis eviction"].status is Status.WARNING
    assert "snapshots are not known" in found["managed"]["redis persistence"].detail
    assert found["mute"]["redis"].status is Status.OK
    assert found["mute"]["redis persistence"].detail == "not known: NoPermissionError"


async def test_a_redis_that_is_away_is_a_warning_for_everything_works_without_it(examine):
    rows = await examine(whole=True, redis_url="redis://127.0.0.1:1/0")

    assert rows["redis"].status is Status.WARNING
    assert "slower" in rows["redis"].advice
    assert rows["elita: telegram @elita_bot"].status is Status.OK


# ---- keys


async def test_a_ring_that_does_not_open_is_said_and_the_rest_is_looked_at(examine):
    rows = await examine(whole=True, master_keys=SecretStr("no-ring"))

    assert rows["keys"].status is Status.FAILED
    assert rows["companies"].detail == "not examined: keys first"
    assert rows["database"].status is Status.OK


async def test_secrets_under_a_key_that_is_not_there_are_counted(house):
    [row] = await look_at_ciphertexts(replace(house.core, keys=KeyRing.parse(new_master_key())))

    assert row.status is Status.FAILED
    assert row.detail.startswith("2 of 2 are under keys that are not there: k")
    assert "AI_ADMIN_MASTER_KEYS" in row.advice


async def test_secrets_under_an_older_key_of_the_ring_are_told_with_what_changes_them(house):
    old = (house.core.settings.data_dir / "master.keys").read_text(encoding="utf-8").strip()

    [row] = await look_at_ciphertexts(replace(house.core, keys=KeyRing.parse(f"{new_master_key()},{old}")))

    assert (row.status, row.detail) == (Status.OK, "2 of 2 are under an older key of the ring")
    assert "keys rotate" in row.advice


# ---- the model


async def test_a_key_that_gemini_refuses_and_a_model_that_it_does_not_have(house):
    bare = house.core.settings.model_copy(update={"gemini_api_key": None, "gemini_api_url": None})
    unknown = house.core.settings.model_copy(update={"gemini_model": "gemini-0", "gemini_fallback_model": "gemini-1"})
    house.vendors.gemini._api_keys = frozenset({"another"})
    [refused] = await look_at_model(house.core.settings)
    house.vendors.gemini._api_keys = None

    assert refused.status is Status.FAILED
    assert "API key not valid" in refused.detail
    assert "AI_ADMIN_GEMINI_API_KEY" in refused.advice
    [none] = await look_at_model(bare)
    assert none.detail == "AI_ADMIN_GEMINI_API_KEY is not set"
    first, spare = await look_at_model(unknown)
    assert (first.what, first.status) == ("gemini model", Status.FAILED)
    assert (spare.what, spare.status) == ("gemini spare model", Status.WARNING)
    assert "AI_ADMIN_GEMINI_FALLBACK_MODEL" in spare.advice


async def test_a_model_that_cannot_be_reached(house):
    [row] = await look_at_model(house.core.settings.model_copy(update={"gemini_api_url": "http://127.0.0.1:1"}))

    assert (row.status, "cannot be reached" in row.detail) == (Status.FAILED, True)
    assert "reaches http://127.0.0.1:1" in row.advice


async def test_an_endpoint_that_speaks_openais_way_is_asked_for_its_models(settings):
    server, short = OpenAISandbox(), OpenAISandbox(lists_models=False)
    await server.start()
    await short.start()
    mine = settings.model_copy(
        update={
            "model_provider": ModelProvider.OPENAI,
            "openai_api_key": SecretStr(server.key),
            "openai_api_url": server.url,
            "openai_model": "house-model",
            "openai_fallback_model": "gone",
        }
    )
    try:
        good, gone = await look_at_model(mine)
        [refused] = await look_at_model(mine.model_copy(update={"openai_api_key": SecretStr("wrong")}))
        silent, _ = await look_at_model(mine.model_copy(update={"openai_api_url": short.url}))
    finally:
        await server.stop()
        await short.stop()
    [away] = await look_at_model(mine)

    assert (good.status, gone.status) == (Status.OK, Status.WARNING)
    assert (refused.status, "401" in refused.detail) == (Status.FAILED, True)
    assert (silent.status, "does not tell" in silent.detail) == (Status.WARNING, True)
    assert "cannot be reached" in away.detail
