"""Where a branch's account is asked."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from crm.account import Account
from crm.yclients.access import Access


def access(*, user_token: str = "user-1", account_id: str | None = "100", **options: str) -> Access:
    return Access.of(
        Account(
            type="yclients",
            options={"flavour": "yclients", "api_url": "https://api.yclients.com"} | options,
            secrets={"partner_token": SecretStr("partner-1"), "user_token": SecretStr(user_token)},
            account_id=account_id,
            time_zone=ZoneInfo("Europe/Moscow"),
        )
    )


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({}, "https://api.yclients.com"),
        ({"api_url": "https://api.yclients.ru/api/v1"}, "https://api.yclients.ru"),
        ({"flavour": "altegio"}, "https://api.alteg.io"),
        ({"flavour": "altegio", "api_url": "http://localhost:1234/"}, "http://localhost:1234"),
    ],
)
def test_the_edition_has_its_host_unless_another_is_named(options: dict[str, str], address: str) -> None:
    assert access(**options).api_url == address


def test_the_branchs_own_account_id_comes_before_the_companys() -> None:
    assert access(account_id="7", company_id="8").company_id == "7"
    assert access(account_id=None, company_id="8").company_id == "8"


def test_accounts_with_other_credentials_share_no_cache() -> None:
    assert access().scope == access().scope
    assert len({access().scope, access(user_token="user-2").scope, access(account_id="7").scope}) == 3
    assert "user-1" not in access().scope
