"""From a branch's settings to its adapter."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from crm.base import Capability
from crm.errors import CRMNotConfigured
from crm.http import CRMHttp
from crm.registry import ADAPTERS, CRMFactory, get_manifest, list_manifests

GOOD: dict[str, Any] = {
    "crm_type": "yclients",
    "options": {},
    "secrets": {"partner_token": SecretStr("partner-1"), "user_token": SecretStr("user-1")},
    "account_id": "100",
    "time_zone": "Europe/Moscow",
}


@pytest.fixture
def factory(http: CRMHttp, pace: Any, cache: Any, clock: Any) -> CRMFactory:
    return CRMFactory(http, pace, cache, clock)


def make(factory: CRMFactory, **changes: Any) -> Any:
    given = GOOD | changes
    return factory.create(given.pop("crm_type"), **given)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"account_id": None, "options": {"company_id": "100"}},
        {"account_id": "  ", "options": {"company_id": " 100 "}},
        {"options": {"api_url": "https://api.yclients.ru/api/v1/"}},
        {"options": {"api_url": "http://127.0.0.1:8080"}},
        {"options": {"api_url": "", "flavour": "altegio", "widget_url": "https://b1.alteg.io"}},
        {"options": {"a field of a later version": "x"}},
    ],
)
async def test_good_settings_make_an_adapter_without_asking_the_crm(
    factory: CRMFactory, pace: Any, changes: dict[str, Any]
) -> None:
    adapter = make(factory, **changes)

    assert adapter.manifest.type == "yclients"
    assert pace.asked == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"crm_type": "excel"}, "excel"),
        ({"secrets": {"user_token": SecretStr("user-1")}}, "partner_token"),
        ({"secrets": {"partner_token": SecretStr("partner-1"), "user_token": SecretStr("")}}, "user_token"),
        ({"secrets": {}, "options": {"partner_token": "partner-1", "user_token": "user-1"}}, "partner_token"),
        ({"secrets": GOOD["secrets"] | {"user_token": SecretStr("user\n-1")}}, "user_token"),
        ({"secrets": GOOD["secrets"] | {"user_token": SecretStr("ключ")}}, "user_token"),
        ({"account_id": None}, "company_id"),
        ({"account_id": "100/../101"}, "company_id"),
        ({"time_zone": "Moscow"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"options": {"flavour": "yandex"}}, "flavour"),
        ({"options": {"widget_url": "javascript:alert(1)"}}, "widget_url"),
        ({"options": {"api_url": "http://api.yclients.com"}}, "api_url"),
        ({"options": {"api_url": "https://user:pass@api.yclients.com"}}, "api_url"),
        ({"options": {"api_url": "api.yclients.com"}}, "api_url"),
        ({"options": {"api_url": "https://[::1"}}, "api_url"),
    ],
)
async def test_bad_settings_are_refused_by_the_name_of_the_field(
    factory: CRMFactory, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(CRMNotConfigured, match=named) as caught:
        make(factory, **changes)

    assert "user-1" not in str(caught.value)
    assert "partner-1" not in str(caught.value)


def test_every_manifest_is_listed_under_its_own_type() -> None:
    assert [manifest.type for manifest in list_manifests()] == list(ADAPTERS)
    with pytest.raises(CRMNotConfigured):
        get_manifest("excel")


def test_yclients_asks_for_two_secrets_and_can_do_what_a_front_desk_needs() -> None:
    manifest = get_manifest("yclients")

    assert {field.name for field in manifest.fields if field.secret} == {"partner_token", "user_token"}
    needed = {Capability.CATALOGUE, Capability.SLOTS, Capability.CREATE, Capability.MOVE, Capability.CANCEL}
    assert needed <= manifest.capabilities
    assert Capability.PRODUCTS not in manifest.capabilities
