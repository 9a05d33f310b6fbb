"""A company that is connected by an application: its tokens are renewed, kept, and refused for good one day."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from crm.base import Phone
from crm.errors import CRMAuthFailed, CRMNotConfigured, CRMUnavailable
from sandbox.bitrix24.oauth import CLIENT_SECRET, FIRST_RENEWAL

HOUR = timedelta(hours=1)
PHONE = Phone("+79161234567")
SECRETS = (CLIENT_SECRET, FIRST_RENEWAL, "sandboxaccesstoken", "sandboxrenewaltoken")


@pytest.fixture
def portal_options():
    return {"by_application": True}


async def test_everything_is_asked_with_the_applications_token(crm, vendor, find_slot, wish):
    booked = await crm.create_appointment(wish(await find_slot(crm, 15)))
    await crm.cancel_appointment(booked.id)

    assert {call["path"].split("/")[1] for call in vendor.calls} == {"oauth", "rest"}
    assert not any(path.startswith("/rest/1/") for path in (call["path"] for call in vendor.calls))
    assert [visit.cancelled for visit in vendor.list_visits()] == [True]


async def test_a_token_serves_its_hour_and_every_process(connect, vendor):
    for _ in range(3):
        await connect().check()

    assert vendor.oauth.renewals == 1


async def test_branches_that_keep_their_services_differently_share_one_pair(connect, vendor):
    assert await connect().get_services()
    assert await connect(resource_type="1", visit_as="none").get_services()

    assert vendor.oauth.renewals == 1


async def test_calls_side_by_side_share_one_renewal(crm, vendor):
    await asyncio.gather(*(crm.get_client_by_phone(PHONE) for _ in range(5)))

    assert vendor.oauth.renewals == 1


@pytest.mark.parametrize("keeps_previous", [True, False])
async def test_a_restart_goes_on_with_the_newest_pair(connect, vendor, clock, keeps_previous):
    vendor.oauth.keeps_previous = keeps_previous
    for _ in range(4):
        assert await connect().get_client_by_phone(PHONE) is None
        clock.now += HOUR

    assert vendor.oauth.renewals == 4


async def test_a_token_that_ends_before_its_time_is_renewed_and_the_call_made_once_more(crm, vendor, find_slot, wish):
    slot = await find_slot(crm, 15)
    vendor.oauth.expire_all()
    await crm.create_appointment(wish(slot))

    assert vendor.oauth.renewals == 2
    assert len(vendor.list_visits()) == 1


async def test_a_write_whose_token_had_ended_is_made_once(crm, vendor, find_slot, wish):
    slot = await find_slot(crm, 15)
    await crm.create_client(name="Елена", phone=PHONE)
    held = vendor.faults.plant("/crm.duplicate.findbycomm", mutate=lambda body: vendor.oauth.expire_all() or body)
    await crm.create_appointment(wish(slot))

    assert held.times == 0
    assert len(vendor.list_visits()) == 1
    assert [call["path"] for call in vendor.calls].count("/rest/booking.v1.booking.add") == 1


async def test_where_the_cache_was_emptied_the_settings_token_is_tried(connect, vendor, cache, clock):
    vendor.oauth.keeps_previous = True
    await connect().get_services()
    cache.kept.clear()

    assert await connect().get_services()


async def test_where_the_vendor_retires_it_too_staff_are_told_to_authorize_anew(connect, vendor, cache):
    await connect().get_services()
    cache.kept.clear()

    with pytest.raises(CRMAuthFailed, match="authorize the application once more"):
        await connect().get_services()


async def test_a_new_authorization_takes_the_place_of_a_dead_one(connect, vendor, clock):
    await connect().get_services()
    vendor.oauth.revoke()
    vendor.oauth.renewal_tokens.add("sandboxrenewaltokenafterwards000")
    with pytest.raises(CRMAuthFailed):
        await connect().get_client_by_phone(PHONE)

    anew = connect(secrets={"refresh_token": "sandboxrenewaltokenafterwards000"})
    assert await anew.get_client_by_phone(PHONE) is None


class Pauses(list):
    """What was waited; `meanwhile` is what happens in such a time."""

    def meanwhile(self):
        return

    def append(self, seconds):
        super().append(seconds)
        self.meanwhile()


@pytest.fixture
def pauses():
    return Pauses()


async def test_a_pair_that_another_process_got_a_moment_before_is_taken(connect, vendor, cache, clock, pauses):
    await connect().get_services()
    clock.now += HOUR
    late, quick = connect(), connect()
    before = dict(cache.kept)
    await quick.get_client_by_phone(PHONE)
    after, cache.kept = cache.kept, before

    pauses.meanwhile = lambda: cache.kept.update(after)  # the quick one keeps its pair
    assert await late.get_client_by_phone(PHONE) is None
    assert vendor.oauth.renewals == 2


async def test_an_outage_of_the_authorization_server_is_an_outage_and_no_refusal(crm, vendor, find_slot, wish):
    slot = await find_slot(crm, 15)
    vendor.oauth.expire_all()
    vendor.faults.plant("/oauth/token/", times=50, html=True)

    with pytest.raises(CRMUnavailable):
        await crm.create_appointment(wish(slot))
    assert vendor.list_visits() == ()


async def test_a_renewal_whose_answer_is_lost_is_asked_again(crm, vendor):
    vendor.oauth.keeps_previous = True
    vendor.faults.plant("/oauth/token/", cut_after=True)

    assert await crm.get_services()


@pytest.mark.parametrize("spoil", [{"malformed": True}, {"mutate": lambda body: {"access_token": ""}}])
async def test_an_answer_without_tokens_is_an_outage(crm, vendor, spoil):
    vendor.faults.plant("/oauth/token/", times=50, **spoil)

    with pytest.raises(CRMUnavailable):
        await crm.get_services()


async def test_an_application_that_is_not_paid_for_is_told_by_the_vendors_word(crm, vendor):
    vendor.oauth.paid = False

    with pytest.raises(CRMAuthFailed, match="PAYMENT_REQUIRED"):
        await crm.get_services()


@pytest.mark.parametrize("secret", ["client_secret", "refresh_token"])
async def test_a_wrong_key_is_told_as_such_and_stands_in_no_error(connect, vendor, secret):
    value = vendor.connection().wrong_secrets[secret]
    with pytest.raises(CRMAuthFailed) as refused:
        await connect(secrets={secret: value}).get_services()

    assert value not in str(refused.value)


async def test_what_the_cache_keeps_shows_no_credential(crm, cache):
    await crm.get_services()

    assert any(key.endswith(":tokens") for key in cache.kept)
    assert not [secret for secret in SECRETS for value in cache.kept.values() if secret in value]
    assert cache.ttls[next(key for key in cache.kept if key.endswith(":tokens"))] == timedelta(days=180)


async def test_a_pair_that_somebody_else_wrote_into_the_cache_is_not_used(connect, vendor, cache):
    vendor.oauth.keeps_previous = True
    await connect().get_services()
    [name] = [key for key in cache.kept if key.endswith(":tokens")]
    for rubbish in ("", "rubbish", "AAAA", cache.kept[name][:-8] + "AAAAAAA="):
        cache.kept[name] = rubbish
        assert await connect().get_services()


@pytest.mark.parametrize(
    ("secrets", "options", "field"),
    [
        ({"webhook_url": "https://salon.bitrix24.ru/rest/1/abcdef123456/"}, {}, "portal"),
        ({}, {"portal": ""}, "webhook_url"),
        ({}, {"portal": "http://salon.bitrix24.ru"}, "portal"),
        ({}, {"portal": "https://salon.bitrix24.ru/rest/"}, "portal"),
        ({}, {"client_id": ""}, "client_id"),
        ({"client_secret": ""}, {}, "client_secret"),
        ({"refresh_token": ""}, {}, "refresh_token"),
        ({}, {"oauth_url": "http://oauth.bitrix.info"}, "oauth_url"),
    ],
)
def test_a_wrong_setting_names_its_field(connect, secrets, options, field):
    with pytest.raises(CRMNotConfigured, match=field):
        connect(secrets=secrets, **options)
