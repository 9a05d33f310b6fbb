"""Files, and what a business asks and sets of its numbers, accounts and apps; what is not its own is not there."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest
from pywa_async.errors import WhatsAppError

NUMBER = "106540352242922"
ACCOUNT = f"9{NUMBER}"
TOKEN = "token-of-the-number"
SECRET = "secret-of-the-app"
VERIFY = "word-that-meta-is-told"
MB = 1024 * 1024


def upload(graph, body, mime_type, **form):
    data = {"messaging_product": "whatsapp", "type": mime_type, **form}
    return graph.call("POST", f"{NUMBER}/media", data=data, files={"file": ("a", body, mime_type)})


async def test_an_address_is_good_for_five_minutes_and_for_its_owner(
    whatsapp, graph, http, number, person, clock, door, brought
):
    whatsapp.add_number(number.app, id_="222", token="token-of-222")
    await whatsapp.people.send_voice(NUMBER, person, b"OggS")
    await brought()
    told = door.messages[0]["audio"]
    described = (await graph.call("GET", told["id"])).json()
    url, mine = described["url"], {"Authorization": f"Bearer {TOKEN}"}

    assert told["sha256"] == base64.b64encode(sha256(b"OggS").digest()).decode()
    assert described == {
        "id": told["id"],
        "url": url,
        "mime_type": "audio/ogg; codecs=opus",
        "sha256": sha256(b"OggS").hexdigest(),
        "file_size": 4,
        "messaging_product": "whatsapp",
    }
    clock.advance(timedelta(minutes=4, seconds=59))
    assert (await http.get(url, headers=mine)).content == b"OggS"
    assert (await http.get(url)).status_code == 401
    assert (await http.get(url, headers={"Authorization": "Bearer token-of-222"})).status_code == 401
    clock.advance(timedelta(seconds=1))
    assert (await http.get(url, headers=mine)).status_code == 404
    assert graph.code_of(await graph.call("GET", told["id"], token="token-of-222")) == 100
    assert graph.code_of(await graph.call("GET", told["id"], params={"phone_number_id": "222"})) == 100


async def test_a_file_that_came_is_kept_for_a_week(whatsapp, graph, person, clock, door, brought):
    await whatsapp.people.send_image(NUMBER, person, b"png")
    await brought()
    id_ = door.messages[0]["image"]["id"]

    clock.advance(timedelta(days=6))
    assert graph.code_of(await graph.call("GET", id_)) == 0
    clock.advance(timedelta(days=1))
    assert graph.code_of(await graph.call("GET", id_)) == 100


async def test_the_sdk_uploads_sends_fetches_and_deletes(whatsapp, sdk, number, person):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    media = await sdk.upload_media(b"\x89PNG", mime_type="image/png", filename="a.png")
    await sdk.send_image(person.wa_id, media.id, caption="Стрижка")

    found = await sdk.get_media_url(media.id)
    assert await sdk.get_media_bytes(found.url) == b"\x89PNG"
    assert await sdk.delete_media(media.id)
    assert number.media == {}
    with pytest.raises(WhatsAppError):
        await sdk.get_media_url(media.id)
    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Стрижка"]


@pytest.mark.parametrize(
    ("mime_type", "most"),
    [("audio/ogg; codecs=opus", 16 * MB), ("image/jpeg", 5 * MB), ("video/mp4", 16 * MB), ("image/webp", 500 * 1024)],
)
async def test_files_have_a_largest_size(whatsapp, graph, mime_type, most):
    assert graph.code_of(await upload(graph, b"x" * most, mime_type)) == 0
    assert graph.code_of(await upload(graph, b"x" * (most + 1), mime_type)) == 131053
    assert len(whatsapp.violations) == 1


async def test_only_metas_types_are_taken_and_each_for_its_kind_of_message(whatsapp, graph, person):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    assert graph.code_of(await upload(graph, b"x", "application/zip")) == 100
    assert graph.code_of(await upload(graph, b"x", "image/png", messaging_product="sms")) == 131008
    no_file = await graph.call("POST", f"{NUMBER}/media", data={"messaging_product": "whatsapp"})
    assert graph.code_of(no_file) == 131008
    picture = (await upload(graph, b"x", "image/png")).json()["id"]

    assert await graph.code({"type": "image", "image": {"id": picture}}) == 0
    assert await graph.code({"type": "document", "document": {"id": picture}}) == 0
    assert await graph.code({"type": "sticker", "sticker": {"id": picture}}) == 131009


async def test_the_sdk_describes_a_number(sdk, graph, number, open_door):
    shown = await sdk.get_business_phone_number()
    plain = (await graph.call("GET", NUMBER)).json()

    assert (shown.display_phone_number, shown.verified_name) == ("+7 495 000-00-01", "Бизнес")
    assert shown.quality_rating == "GREEN"
    assert {"code_verification_status", "platform_type", "throughput", "id"} <= set(plain)
    few = await graph.call("GET", NUMBER, params={"fields": "verified_name,health_status"})
    assert few.json() == {"verified_name": "Бизнес", "id": NUMBER}
    assert graph.code_of(await graph.call("GET", NUMBER, params={"fields": "colour"})) == 100
    assert graph.code_of(await graph.call("GET", "404")) == 100


async def test_an_account_shows_its_numbers_and_templates(whatsapp, sdk, graph, number):
    whatsapp.add_number(number.app, id_="222", token="token-of-222", account=number.account)
    whatsapp.add_number(number.app, id_="333", token="token-of-333")
    whatsapp.add_template(number, "visit", "ru", "{{1}}, ждём", header="Визит", footer="Элита", buttons=("Приду",))
    whatsapp.add_template(number, "sale", "ru", "Скидки", category="MARKETING", status="PENDING")

    numbers = (await graph.call("GET", f"{ACCOUNT}/phone_numbers")).json()["data"]
    templates = (await graph.call("GET", f"{ACCOUNT}/message_templates", params={"status": "APPROVED"})).json()["data"]

    assert [one["id"] for one in numbers] == [NUMBER, "222"]
    assert [(one["name"], len(one["components"])) for one in templates] == [("visit", 4)]
    assert [one.name for one in await sdk.get_templates()] == ["visit", "sale"]
    assert (await graph.call("GET", ACCOUNT)).json()["id"] == ACCOUNT
    assert graph.code_of(await graph.call("GET", f"{ACCOUNT}/message_templates", token="token-of-333")) == 100


async def test_an_address_is_taken_only_after_it_answered_the_challenge(whatsapp, sdk, graph, number, open_door):
    door = await open_door(VERIFY)

    with pytest.raises(WhatsAppError) as refused:
        await sdk.override_phone_callback_url(door.url, "another word")
    assert (refused.value.code, number.callback_url) == (2200, "")
    assert await sdk.override_phone_callback_url(door.url, VERIFY)
    assert number.callback_url == door.url
    shown = (await graph.call("GET", NUMBER)).json()["webhook_configuration"]
    assert shown == {"phone_number": door.url}
    assert await sdk.delete_phone_callback_url()
    assert number.callback_url == ""
    assert await sdk.override_waba_callback_url(door.url, VERIFY, waba_id=ACCOUNT)
    assert number.account.callback_url == door.url
    assert await sdk.delete_waba_callback_url(waba_id=ACCOUNT)
    assert number.account.callback_url == ""
    # An address that does not answer yet breaks no rule.
    assert whatsapp.violations == []


@pytest.mark.parametrize(
    ("url", "word", "code"),
    [
        ("http://example.com/in", VERIFY, 131009),
        ("https://example.com/" + "x" * 200, VERIFY, 131009),
        ("http://127.0.0.1:1/in", "", 131008),
        ("http://127.0.0.1:1/in", VERIFY, 2200),
        (None, VERIFY, 131008),
    ],
)
async def test_an_address_that_meta_would_not_take_is_refused(graph, number, url, word, code):
    wanted = {"override_callback_uri": url, "verify_token": word}

    response = await graph.call("POST", NUMBER, json={"webhook_configuration": wanted})

    assert (graph.code_of(response), number.callback_url) == (code, "")


async def test_an_app_subscribes_with_its_own_token(whatsapp, sdk, graph, number, open_door):
    door = await open_door(VERIFY)
    app = number.app
    token = await sdk.get_app_access_token(app_id=int(app.id), app_secret=SECRET)
    assert token == app.access_token

    await sdk.set_app_callback_url(
        app_id=int(app.id), app_access_token=token, callback_url=door.url, verify_token=VERIFY, fields=["messages"]
    )

    assert (app.callback_url, app.fields) == (door.url, {"messages"})
    wanted = {
        "object": "whatsapp_business_account",
        "callback_url": door.url,
        "verify_token": VERIFY,
        "fields": "messages",
    }
    path = f"{app.id}/subscriptions"
    assert graph.code_of(await graph.call("POST", path, json=wanted, token=app.access_token)) == 0
    assert graph.code_of(await graph.call("POST", path, json=wanted)) == 10
    assert graph.code_of(await graph.call("POST", path, json={**wanted, "object": "page"}, token=token)) == 100
    for name in ("callback_url", "verify_token", "fields"):
        assert graph.code_of(await graph.call("POST", path, json={**wanted, name: ""}, token=token)) == 100
    told = (await graph.call("GET", path, token=token)).json()["data"]
    assert [one["callback_url"] for one in told] == [door.url]


async def test_an_account_is_subscribed_and_given_up(graph, number):
    path = f"{ACCOUNT}/subscribed_apps"

    assert (await graph.call("DELETE", path)).json() == {"success": True}
    assert not number.account.subscribed
    assert (await graph.call("GET", path)).json() == {"data": []}
    assert (await graph.call("POST", path)).json() == {"success": True}
    assert number.account.subscribed
    [told] = (await graph.call("GET", path)).json()["data"]
    assert told["whatsapp_business_api_data"]["id"] == number.app.id


async def test_a_token_can_be_looked_at(whatsapp, graph, number):
    whatsapp.add_app(secret="another-secret")

    def debug(asked, token=TOKEN):
        return graph.call("GET", "debug_token", params={"input_token": asked}, token=token)

    told = (await debug(TOKEN, number.app.access_token)).json()["data"]
    assert (told["is_valid"], told["app_id"]) == (True, number.app.id)
    assert told["granular_scopes"][0]["target_ids"] == [ACCOUNT]
    assert (await debug(TOKEN)).json()["data"]["is_valid"]
    assert not (await debug("nonsense")).json()["data"]["is_valid"]
    assert graph.code_of(await debug(TOKEN, "10000001|another-secret")) == 10
    assert graph.code_of(await debug(TOKEN, None)) == 104


TEXT = {"type": "text", "text": {"body": "Добрый день"}}


async def test_calls_fail_as_wished_and_then_no_more(whatsapp, graph, sdk, person):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    whatsapp.fail_next(times=2, code=131056)

    assert [await graph.code(TEXT) for _ in range(3)] == [131056, 131056, 0]
    for code, status in ((131016, 503), (190, 401), (131031, 403), (130429, 429), (131000, 500)):
        whatsapp.fail_next(code=code)
        response = await graph.send(TEXT)
        assert (graph.code_of(response), response.status_code) == (code, status)
    whatsapp.fail_next("number", code=190)
    with pytest.raises(WhatsAppError):
        await sdk.get_business_phone_number()
    whatsapp.fail_next("media", code=131000, http=502)
    assert (await upload(graph, b"x", "image/png")).status_code == 502
    whatsapp.fail_next(times=9, code=131000)
    whatsapp.clear_faults()
    assert await graph.code(TEXT) == 0

    assert len(whatsapp.people.texts_from_business(NUMBER, person.user_id)) == 2
    assert (whatsapp.violations, whatsapp.floods) == ([], 3)


async def test_a_connection_is_cut_after_the_effect_or_hangs_before_it(whatsapp, graph, http, person):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    whatsapp.fail_next(cut_after=True)
    with pytest.raises(httpx.TransportError):
        await graph.send(TEXT)
    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Добрый день"]

    whatsapp.fail_next(hang_s=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await graph.send(TEXT)

    assert await graph.code(TEXT) == 0
    assert len(whatsapp.people.texts_from_business(NUMBER, person.user_id)) == 2
