"""The 24-hour window by the clock, and Meta's rates: neither is a violation, both are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.whatsapp.errors import Refused
from sandbox.whatsapp.rates import Rates
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import Person

NUMBER = "106540352242922"
TEXT = {"type": "text", "text": {"body": "Ждём вас"}}
TEMPLATE = {"type": "template", "template": {"name": "visit", "language": {"code": "ru"}}}


async def test_a_day_after_the_last_message_only_a_template_gets_through(
    whatsapp, graph, number, person, clock, door, brought
):
    whatsapp.add_template(number, "visit", "ru", "Ждём вас")
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")

    clock.advance(timedelta(hours=24))
    assert await graph.code(TEXT) == 0
    await brought()
    assert [one["status"] for one in door.statuses] == ["sent", "delivered"]
    clock.advance(timedelta(seconds=1))
    late = await graph.send(TEXT)
    assert late.status_code == 200
    assert await graph.code(TEMPLATE) == 0
    await brought()

    failed = [one for one in door.statuses if one["status"] == "failed"]
    assert [one["id"] for one in failed] == [late.json()["messages"][0]["id"]]
    assert failed[0]["errors"][0]["code"] == 131047
    assert len(whatsapp.people.texts_from_business(NUMBER, person.user_id)) == 2
    assert (whatsapp.violations, whatsapp.sending.failed) == ([], {131047: 1})


async def test_a_strict_window_refuses_at_once(open_whatsapp, graph, person, clock):
    strict = await open_whatsapp(strict_window=True)
    graph.sandbox = strict
    await strict.people.send_text(NUMBER, person, "Здравствуйте")

    assert await graph.code(TEXT) == 0
    clock.advance(timedelta(hours=25))
    response = await graph.send(TEXT)

    assert (graph.code_of(response), response.status_code) == (131047, 400)
    assert (strict.violations, strict.refusals) == ([], {131047: 1})


async def test_every_message_opens_the_window_again_and_a_reaction_does_not(whatsapp, graph, person, clock):
    first = await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    clock.advance(timedelta(hours=25))
    await whatsapp.people.react(NUMBER, person, first, "👍")
    await graph.send(TEXT)
    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == []

    await whatsapp.people.send_voice(NUMBER, person, b"OggS")
    await graph.send(TEXT)

    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Ждём вас"]


async def test_who_has_no_whatsapp_or_has_blocked_the_number_is_not_reached(whatsapp, graph, person, door, brought):
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    whatsapp.people.block(NUMBER, person)

    assert await graph.code(TEXT) == 0
    assert await graph.code({**TEXT, "to": "79990000000"}) == 0
    await brought()
    assert [(one["status"], one["errors"][0]["code"]) for one in door.statuses] == [("failed", 131026)] * 2
    whatsapp.people.unblock(NUMBER, person)
    assert await graph.code(TEXT) == 0

    assert whatsapp.people.texts_from_business(NUMBER, person.user_id) == ["Ждём вас"]


async def test_one_person_takes_a_burst_and_then_no_more_while_others_do(open_whatsapp, graph, person):
    sandbox = graph.sandbox = await open_whatsapp(pair_burst=3, number_per_s=1000)
    other = Person(name="Анна", wa_id="79160000002", user_id="RU.2")
    for one in (person, other):
        await sandbox.people.send_text(NUMBER, one, "Здравствуйте")

    codes = [await graph.code(TEXT) for _ in range(4)]

    assert codes == [0, 0, 0, 131056]
    assert await graph.code({**TEXT, "to": other.wa_id}) == 0
    assert (sandbox.floods, sandbox.violations) == (1, [])


async def test_a_number_sends_so_many_a_second_to_all(open_whatsapp, graph):
    sandbox = graph.sandbox = await open_whatsapp(pair_burst=1000, number_per_s=2)
    for index in range(40):
        sandbox.people.add_person(Person(name=str(index), wa_id=f"7916000{index:04}", user_id=f"RU.{index}"))

    codes = [await graph.code({**TEXT, "to": f"7916000{index:04}"}) for index in range(40)]

    assert codes[:2] == [0, 0]
    assert 130429 in codes
    assert sandbox.floods == codes.count(130429)
    assert sandbox.violations == []


@pytest.mark.parametrize(("rests", "third"), [(False, 0), (True, 131056)])
def test_what_a_burst_borrowed_is_paid_back_in_either_reading(monkeypatch, rests, third):
    """Two at once; seven seconds later a third goes, or rests until both are paid back."""
    now = [1000.0]
    monkeypatch.setattr("sandbox.whatsapp.rates.time.monotonic", lambda: now[0])
    sandbox = WhatsAppSandbox()
    number = sandbox.add_number(sandbox.add_app(), id_="1", token="t")
    person = Person(name="Анна", wa_id="79160000002", user_id="RU.2")
    rates = Rates(pair_burst=3, number_per_s=1000, pair_rests=rests)
    codes = []

    def send():
        try:
            rates.take(number, person)
        except Refused as refused:
            codes.append(refused.code)
        else:
            codes.append(0)

    for moment in (0.0, 0.5, 7.0, 30.0):
        now[0] = 1000.0 + moment
        send()

    assert codes == [0, 0, third, 0]
