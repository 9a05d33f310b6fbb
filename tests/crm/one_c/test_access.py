"""Where a 1C base is asked and as whom, from settings to the header."""

from __future__ import annotations

import base64
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from crm.account import Account
from crm.base import Capability
from crm.errors import CRMNotConfigured
from crm.one_c.access import Access
from crm.registry import CRMFactory

GOOD = {"base_url": "https://1c.example.com/salon", "user": "Робот записи"}


def access(*, password: str = "пароль-1", **options: str) -> Access:
    return Access.of(
        Account(
            type="1c",
            options=GOOD | options,
            secrets={"password": SecretStr(password)},
            account_id=None,
            time_zone=ZoneInfo("Europe/Moscow"),
        )
    )


@pytest.fixture
def make(http, pace, cache, clock):
    def making(secrets: dict[str, str] | None = None, **options: str):
        return CRMFactory(http, pace, cache, clock).create(
            "1c",
            options=GOOD | options,
            secrets={name: SecretStr(value) for name, value in (secrets or {"password": "пароль-1"}).items()},
            account_id=None,
            time_zone="Europe/Moscow",
        )

    return making


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("https://1c.example.com/salon", "https://1c.example.com/salon"),
        ("https://1c.example.com/salon/", "https://1c.example.com/salon"),
        ("https://1c.example.com/salon/hs/ai-admin/v1", "https://1c.example.com/salon"),
        ("https://1c.example.com/salon/odata/standard.odata", "https://1c.example.com/salon"),
        ("https://1c.example.com:8443/a/1c/12/", "https://1c.example.com:8443/a/1c/12"),
        ("https://1c.example.com/салон", "https://1c.example.com/%D1%81%D0%B0%D0%BB%D0%BE%D0%BD"),
        (
            "https://1c.example.com/%D1%81%D0%B0%D0%BB%D0%BE%D0%BD",
            "https://1c.example.com/%D1%81%D0%B0%D0%BB%D0%BE%D0%BD",
        ),
        ("http://127.0.0.1:8080/salon", "http://127.0.0.1:8080/salon"),
    ],
)
def test_a_base_is_asked_at_its_address_however_it_was_pasted(given, asked):
    assert access(base_url=given).url == asked


def test_names_and_passwords_are_encoded_as_utf8_before_base64():
    scheme, _, credentials = access().authorization.partition(" ")

    assert scheme == "Basic"
    assert base64.b64decode(credentials).decode() == "Робот записи:пароль-1"


def test_accounts_with_other_credentials_share_no_cache():
    scopes = {access().scope, access(password="другой").scope, access(user="Другой").scope}
    assert len(scopes) == 3
    assert access().scope == access().scope
    assert "пароль" not in access().scope


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"base_url": "http://1c.example.com/salon"}, "base_url"),
        ({"base_url": "https://robot:secret@1c.example.com/salon"}, "base_url"),
        ({"base_url": "https://1c.example.com/salon?x=1"}, "base_url"),
        ({"base_url": "1c.example.com/salon"}, "base_url"),
        ({"base_url": "https://[::1/salon"}, "base_url"),
        ({"base_url": ""}, "base_url"),
        ({"user": "Робот: записи"}, "user"),
        ({"user": ""}, "user"),
        ({"interface": "com"}, "interface"),
        ({"without": "slots"}, "without"),
    ],
)
async def test_bad_settings_are_refused_by_the_name_of_the_field(make, options, named):
    with pytest.raises(CRMNotConfigured, match=named):
        make(**options)


@pytest.mark.parametrize(
    ("secrets", "named"),
    [
        ({"password": ""}, "password"),
        ({"password": "пароль\n1"}, "password"),
        ({"password": "пароль-1", "hook_secret": "too-short"}, "hook_secret"),
        ({"password": "пароль-1", "hook_secret": "секрет-для-заголовка"}, "hook_secret"),
    ],
)
async def test_bad_secrets_are_refused_by_the_name_of_the_field_and_not_shown(make, secrets, named):
    with pytest.raises(CRMNotConfigured, match=named) as refused:
        make(secrets)
    assert "пароль" not in str(refused.value)
    assert "short" not in str(refused.value)


@pytest.mark.parametrize(
    ("without", "secrets", "lacked"),
    [
        ("", {"hook_secret": "0123456789abcdef"}, set()),
        ("", {}, {Capability.HOOKS}),
        ("products", {}, {Capability.HOOKS, Capability.PRODUCTS}),
        ("Products, changes", {"hook_secret": "0123456789abcdef"}, {Capability.PRODUCTS, Capability.CHANGES}),
    ],
)
async def test_an_account_can_do_what_its_settings_leave_it(make, pace, without, secrets, lacked):
    adapter = make({"password": "пароль-1"} | secrets, without=without)

    assert adapter.manifest.capabilities - adapter.capabilities == lacked
