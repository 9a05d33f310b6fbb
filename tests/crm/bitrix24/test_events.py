"""What the portal tells of changes: forms sent once, known by their token, of which only ids are taken."""

from __future__ import annotations

from datetime import datetime

import pytest
from aiohttp import web

from crm.base import Hook, RecordId
from crm.errors import CRMAuthFailed, CRMInvalid
from sandbox.bitrix24.events import SIGNED_WITH

TEN = datetime.fromisoformat("2026-11-25T10:00")


@pytest.fixture
async def hooks(vendor):
    """Subscribe a handler to the portal's events; what it got, in order."""
    got: list[Hook] = []

    async def receive(request: web.Request) -> web.Response:
        got.append(Hook(content_type=request.headers["Content-Type"], body=await request.read()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/hook", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.events.handler = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield got
    await runner.cleanup()


@pytest.fixture
def signed(connect):
    return connect(secrets={"application_token": SIGNED_WITH})


def booked(vendor, starts=TEN):
    return vendor.book_by_hand(
        master="Анна Смирнова", service="Стрижка женская", starts=starts, client="Инна", phone="+79160000001"
    )


@pytest.mark.parametrize("to_application", [False, True], ids=["outbound webhook", "application"])
async def test_what_staff_do_is_told_by_the_bookings_number(vendor, hooks, signed, to_application):
    vendor.events.to_application = to_application
    number = booked(vendor)
    vendor.move_by_hand(number, TEN.replace(hour=12))
    vendor.cancel_by_hand(number)
    await vendor.events.settled()

    assert [signed.read_hook(hook) for hook in hooks] == [(RecordId(number),)] * 3
    assert {hook.content_type for hook in hooks} == {"application/x-www-form-urlencoded"}
    assert b"event=ONBOOKINGADD&" in hooks[0].body
    assert b"event=ONBOOKINGUPDATE&" in hooks[1].body
    assert b"event=ONBOOKINGDELETE&" in hooks[2].body


async def test_what_an_event_names_is_read_again(vendor, hooks, signed):
    number = booked(vendor)
    vendor.move_by_hand(number, TEN.replace(hour=12))
    await vendor.events.settled()

    [changed] = signed.read_hook(hooks[-1])
    assert (await signed.get_appointment(changed)).starts_at.isoformat() == "2026-11-25T12:00:00+03:00"


async def test_our_own_writes_are_told_too(vendor, hooks, signed, find_slot, wish):
    written = await signed.create_appointment(wish(await find_slot(signed, 15)))
    await vendor.events.settled()

    assert {signed.read_hook(hook) for hook in hooks} == {(written.id,)}


async def test_an_event_that_another_portal_signed_is_refused(vendor, hooks, signed):
    vendor.events.token = "another"
    booked(vendor)
    await vendor.events.settled()

    with pytest.raises(CRMAuthFailed):
        signed.read_hook(hooks[0])


async def test_without_a_token_in_the_settings_an_event_is_a_hint_all_the_same(vendor, hooks, crm):
    number = booked(vendor)
    await vendor.events.settled()

    assert crm.read_hook(hooks[0]) == (RecordId(number),)


async def test_an_event_is_sent_once_and_lost_where_nobody_listens(vendor, signed):
    vendor.events.handler = "http://127.0.0.1:9/hook"
    booked(vendor)
    await vendor.events.settled()

    assert vendor.events.delivered == [0]


def form(body: str) -> Hook:
    return Hook(content_type="application/x-www-form-urlencoded", body=body.encode())


@pytest.mark.parametrize(
    "body",
    [
        "event=ONBOOKINGADD&data[ID]=-5&auth[application_token]={token}",
        "event=ONBOOKINGADD&data[ID]=1e3&auth[application_token]={token}",
        "event=ONBOOKINGADD&data[ID]=٥&auth[application_token]={token}",
        "event=ONBOOKINGADD&data[ID]=99999999999999999&auth[application_token]={token}",
        "event=ONBOOKINGADD&auth[application_token]={token}",
        "event=ONBOOKINGRESOURCEADD&data[ID]=5&auth[application_token]={token}",
        "event=ONAPPUNINSTALL&data[ID]=5&auth[application_token]={token}",
    ],
)
def test_an_event_that_names_no_booking_names_nothing(signed, body):
    assert signed.read_hook(form(body.format(token=SIGNED_WITH))) == ()


@pytest.mark.parametrize("body", ["", "a=1", "{}", "event", "&".join(f"a{n}=1" for n in range(500))])
def test_what_is_no_event_is_refused(signed, body):
    with pytest.raises(CRMInvalid):
        signed.read_hook(form(body))


@pytest.mark.parametrize("token", ["", "другой", SIGNED_WITH[:-1], SIGNED_WITH + "0"])
def test_a_token_is_compared_whole_and_stands_in_no_error(signed, token):
    with pytest.raises(CRMAuthFailed) as refused:
        signed.read_hook(form(f"event=ONBOOKINGADD&data[ID]=5&auth[application_token]={token}"))

    assert SIGNED_WITH not in str(refused.value)
