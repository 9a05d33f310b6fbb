"""Settings: read once, refused loudly, no tenant's secrets from the environment in production."""

from __future__ import annotations

import pytest

from bot.redaction import redacted
from bot.settings import LogFormat, Mode, SettingsError, load_settings, tenant_settings
from db.crypto import new_master_key


@pytest.fixture
def environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("AI_ADMIN_"):
            monkeypatch.delenv(name)

    def set_(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"AI_ADMIN_{name}", value)
        return {f"AI_ADMIN_{name}": value for name, value in values.items()}

    return set_


def load(environment, **values):
    return load_settings(environment(**values), env_file=None)


def test_development_needs_nothing(environment):
    settings = load(environment)

    assert (settings.mode, settings.host, settings.port) == (Mode.DEVELOPMENT, "127.0.0.1", 8080)
    assert settings.effective_log_format is LogFormat.CONSOLE


def test_production_without_master_keys_refuses_and_says_how_to_make_one(environment):
    with pytest.raises(SettingsError, match=r"MASTER_KEYS is not set.*ai-admin keys new"):
        load(environment, MODE="production")


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "CRM_USER_TOKEN", "CRM_TYPE", "WHATSAPP_TOKEN"])
def test_production_refuses_a_tenants_credential_in_the_environment_and_names_it(environment, name):
    with pytest.raises(SettingsError, match=f"AI_ADMIN_{name}") as refused:
        load(environment, MODE="production", MASTER_KEYS=new_master_key(), **{name: "canary"})
    assert "canary" not in str(refused.value)


def test_production_refuses_them_in_the_env_file_too(environment, tmp_path):
    values = environment(MODE="production", MASTER_KEYS=new_master_key())
    (tmp_path / ".env").write_text("AI_ADMIN_TELEGRAM_TOKEN=canary\n")

    with pytest.raises(SettingsError, match="AI_ADMIN_TELEGRAM_TOKEN"):
        load_settings(values, env_file=str(tmp_path / ".env"))


def test_production_with_keys_and_without_tenants_starts(environment):
    settings = load(environment, MODE="production", MASTER_KEYS=new_master_key(), WHATSAPP_API_URL="http://x")

    assert settings.effective_log_format is LogFormat.JSON


def test_every_fault_is_named_at_once(environment):
    with pytest.raises(SettingsError) as refused:
        load(environment, PORT="abc", MODE="staging", PUBLIC_URL="example.org", TRUSTED_PROXIES="nonsense")

    for name in ("PORT", "MODE", "PUBLIC_URL", "TRUSTED_PROXIES"):
        assert f"AI_ADMIN_{name}" in str(refused.value)


def test_one_company_is_described_by_the_environment(environment):
    values = environment(TELEGRAM_TOKEN="1:x", CRM_TYPE="yclients", CRM_USER_TOKEN="y", PORT="1")

    assert sorted(tenant_settings(values, env_file=None)) == [
        "AI_ADMIN_CRM_TYPE",
        "AI_ADMIN_CRM_USER_TOKEN",
        "AI_ADMIN_TELEGRAM_TOKEN",
    ]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("token 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw failed", "AAHdqTcv"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("POST /api/v1/telegram/webhook/s3cr3t-token HTTP", "s3cr3t"),
        ("client +7 (916) 123-45-67 wrote", "123-45-67"),
    ],
)
def test_what_slips_into_a_log_is_cut(text, hidden):
    assert hidden not in redacted(text)


def test_private_hosts_are_allowed_by_name_alone(environment):
    settings = load(environment, ALLOWED_PRIVATE_HOSTS="1C.Office.Example., 10.0.0.5,fd00::5")

    assert settings.allowed_private_hosts == {"1c.office.example", "10.0.0.5", "fd00::5"}


@pytest.mark.parametrize("value", ["*.example", "10.0.0.0/8", "https://1c.example", "1c.example/base"])
def test_what_is_not_one_machine_is_not_allowed(environment, value):
    with pytest.raises(SettingsError, match="ALLOWED_PRIVATE_HOSTS"):
        load(environment, ALLOWED_PRIVATE_HOSTS=value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "postgresql://u:canary@h/d?sslmode=strict"), ("REDIS_URL", "redis+sentinel://u:canary@h")],
)
def test_an_address_that_cannot_be_used_is_named_at_the_start_and_not_shown(environment, name, value):
    with pytest.raises(SettingsError, match=f"AI_ADMIN_{name}: ") as refused:
        load(environment, **{name: value})
    assert "canary" not in str(refused.value)
