"""What stands at a limit is taken, what is one above it is refused with Meta's code, and kept as a violation."""

from __future__ import annotations

import pytest

NUMBER = "106540352242922"


@pytest.fixture(autouse=True)
async def chat(whatsapp, person, number):
    whatsapp.add_template(number, "visit", "ru", "{{1}}, ждём вас {{2}}", buttons=("Приду",))
    whatsapp.add_template(number, "named", "ru", "{{who}}, ждём вас", header="О визите к {{master}}")
    whatsapp.add_template(number, "paused", "ru", "Ждём", status="PAUSED")
    whatsapp.add_template(number, "asked", "ru", "Ждём", status="PENDING")
    await whatsapp.people.send_text(NUMBER, person, "Здравствуйте")
    return whatsapp.people.chat(NUMBER, person.user_id)


def text(body, **more):
    return {"type": "text", "text": {"body": body, **more}}


def buttons(*replies, body="?", **more):
    actions = [{"type": "reply", "reply": {"id": id_, "title": title}} for id_, title in replies]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": body}, "action": {"buttons": actions}} | more,
    }


def listed(*sections, button="Время", body="?", **more):
    action = {"button": button, "sections": list(sections)}
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": body}, "action": action} | more}


def section(*ids, title=None, **row):
    rows = [{"id": id_, "title": "10:00", **row} for id_ in ids]
    return {"rows": rows, **({"title": title} if title is not None else {})}


def template(name, *values, part="body", language="ru", **more):
    parameters = [one if isinstance(one, dict) else {"type": "text", "text": one} for one in values]
    components = [{"type": part, "parameters": parameters}] if values else []
    return {
        "type": "template",
        "template": {"name": name, "language": {"code": language}, "components": components} | more,
    }


def contact(**name):
    return {"type": "contacts", "contacts": [{"name": name}]}


def place(latitude, longitude):
    return {"type": "location", "location": {"latitude": latitude, "longitude": longitude}}


TEN = [f"r{index}" for index in range(10)]
THREE = [("a", "A"), ("b", "B"), ("c", "C")]
NAMED = {
    "type": "template",
    "template": {
        "name": "named",
        "language": {"code": "ru"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "Анне", "parameter_name": "master"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Елена", "parameter_name": "who"}]},
        ],
    },
}
MISNAMED = {
    "type": "template",
    "template": {
        **NAMED["template"],
        "components": [
            NAMED["template"]["components"][0],
            {"type": "body", "parameters": [{"type": "text", "text": "Елена", "parameter_name": "whom"}]},
        ],
    },
}
ASK = {"type": "interactive", "interactive": {"type": "request_contact_info", "body": {"text": "?"}}}
LINK = "https://example.com/a"

CASES = {
    "text: length": (text("x" * 4096), text("x" * 4097), 131009),
    "text: empty": (text("x"), text(" "), 131008),
    "text: no string": (text("5"), text(5), 100),
    "text: no object": (text("x"), {"type": "text", "text": "x"}, 100),
    "text: another key": (text("x", preview_url=True), text("x", preview=True), 100),
    "no content": (text("x"), {"type": "text"}, 131008),
    "another kind's content": (text("x"), {**text("x"), "image": {"link": LINK}}, 100),
    "unknown kind": (text("x"), {"type": "poll", "poll": {}}, 131051),
    "product": ({**text("x")}, {**text("x"), "messaging_product": "sms"}, 131008),
    "no recipient": (text("x"), {**text("x"), "to": None}, 131008),
    "no number": (text("x"), {**text("x"), "to": "Елена"}, 131009),
    "an id of somebody else's": (
        {**text("x"), "to": None, "recipient": "RU.1502001"},
        {**text("x"), "to": None, "recipient": "RU.9"},
        131009,
    ),
    "to a group": (text("x"), {**text("x"), "recipient_type": "group"}, 131009),
    "tracker": (
        {**text("x"), "biz_opaque_callback_data": "x" * 512},
        {**text("x"), "biz_opaque_callback_data": "x" * 513},
        131009,
    ),
    "quotes nothing": ({**text("x"), "context": {"message_id": "wamid.1"}}, {**text("x"), "context": {}}, 131008),
    "buttons: count": (buttons(*THREE), buttons(*THREE, ("d", "D")), 131009),
    "buttons: none": (buttons(*THREE), buttons(), 131009),
    "buttons: title": (buttons(("a", "x" * 20)), buttons(("a", "x" * 21)), 131009),
    "buttons: id": (buttons(("x" * 256, "A")), buttons(("x" * 257, "A")), 131009),
    "buttons: equal ids": (buttons(*THREE), buttons(("a", "A"), ("a", "B")), 131009),
    "buttons: equal titles": (buttons(*THREE), buttons(("a", "A"), ("b", "A")), 131009),
    "buttons: body": (buttons(*THREE, body="x" * 1024), buttons(*THREE, body="x" * 1025), 131009),
    "buttons: no body": (buttons(*THREE), buttons(*THREE, body=""), 131008),
    "buttons: header": (
        buttons(*THREE, header={"type": "text", "text": "x" * 60}),
        buttons(*THREE, header={"type": "text", "text": "x" * 61}),
        131009,
    ),
    "buttons: footer": (
        buttons(*THREE, footer={"text": "x" * 60}),
        buttons(*THREE, footer={"text": "x" * 61}),
        131009,
    ),
    "buttons: no array": (buttons(*THREE), buttons(*THREE, action={"buttons": {"a": 1}}), 100),
    "list: rows in all": (
        listed(section(*TEN[:6], title="A"), section(*TEN[6:], title="B")),
        listed(section(*TEN[:6], title="A"), section(*TEN[6:], "r10", title="B")),
        131009,
    ),
    "list: sections": (
        listed(*(section(id_, title=id_) for id_ in TEN)),
        listed(*(section(id_, title=id_) for id_ in [*TEN, "r10"])),
        131009,
    ),
    "list: titles of several sections": (
        listed(section("a", title="A"), section("b", title="B")),
        listed(section("a", title="A"), section("b")),
        131008,
    ),
    "list: one section needs no title": (listed(section("a")), listed(section("a", title="")), 131008),
    "list: section title": (listed(section("a", title="x" * 24)), listed(section("a", title="x" * 25)), 131009),
    "list: empty section": (
        listed(section("a", title="A")),
        listed(section("a", title="A"), section(title="B")),
        131008,
    ),
    "list: row title": (
        listed({"rows": [{"id": "a", "title": "x" * 24}]}),
        listed({"rows": [{"id": "a", "title": "x" * 25}]}),
        131009,
    ),
    "list: row description": (
        listed(section("a", description="x" * 72)),
        listed(section("a", description="x" * 73)),
        131009,
    ),
    "list: row id": (listed(section("x" * 200)), listed(section("x" * 201)), 131009),
    "list: equal ids": (listed(section("a", "b")), listed(section("a", "a")), 131009),
    "list: button": (listed(section("a"), button="x" * 20), listed(section("a"), button="x" * 21), 131009),
    "list: no button": (listed(section("a")), listed(section("a"), button=None), 131008),
    "list: body": (listed(section("a"), body="x" * 4096), listed(section("a"), body="x" * 4097), 131009),
    "list: header": (
        listed(section("a"), header={"type": "text", "text": "x"}),
        listed(section("a"), header={"type": "image", "image": {"link": LINK}}),
        131009,
    ),
    "request of a contact": (
        {**ASK, "interactive": {**ASK["interactive"], "action": {"name": "request_contact_info"}}},
        {**ASK, "interactive": {**ASK["interactive"], "action": {"name": "send_location"}}},
        131009,
    ),
    "interactive: unknown": (buttons(*THREE), buttons(*THREE, type="carousels"), 131009),
    "interactive: no action": (buttons(*THREE), buttons(*THREE, action=None), 131008),
    "media: id and link": (
        {"type": "image", "image": {"link": LINK}},
        {"type": "image", "image": {"link": LINK, "id": "7"}},
        131009,
    ),
    "media: neither": (
        {"type": "image", "image": {"link": LINK}},
        {"type": "image", "image": {"caption": "x"}},
        131009,
    ),
    "media: unknown id": ({"type": "image", "image": {"link": LINK}}, {"type": "image", "image": {"id": "7"}}, 131009),
    "media: address": (
        {"type": "image", "image": {"link": LINK}},
        {"type": "image", "image": {"link": "file:///etc/passwd"}},
        131009,
    ),
    "media: caption": (
        {"type": "image", "image": {"link": LINK, "caption": "x" * 1024}},
        {"type": "image", "image": {"link": LINK, "caption": "x" * 1025}},
        131009,
    ),
    "media: caption of a recording": (
        {"type": "document", "document": {"link": LINK, "caption": "x"}},
        {"type": "audio", "audio": {"link": LINK, "caption": "x"}},
        100,
    ),
    "contacts: names": (contact(formatted_name="Анна", first_name="Анна"), contact(formatted_name="Анна"), 131008),
    "contacts: none": (
        contact(formatted_name="Анна", first_name="Анна"),
        {"type": "contacts", "contacts": []},
        131008,
    ),
    "location: latitude": (place(90, 0), place(90.1, 0), 131009),
    "location: longitude": (place(0, "-180"), place(0, "east"), 131009),
    "location: half": (place(0, 0), {"type": "location", "location": {"latitude": 1}}, 131008),
    "template: count": (template("visit", "Елена", "завтра"), template("visit", "Елена"), 132000),
    "template: none given": (template("visit", "Елена", "завтра"), template("visit"), 132000),
    "template: name": (template("visit", "Елена", "завтра"), template("visits", "Елена", "завтра"), 132001),
    "template: language": (
        template("visit", "Елена", "завтра"),
        template("visit", "Елена", "завтра", language="en"),
        132001,
    ),
    "template: not approved yet": (template("visit", "Елена", "завтра"), template("asked"), 132001),
    "template: no language": (
        template("visit", "Елена", "завтра"),
        template("visit", "Елена", "завтра", language=None),
        131008,
    ),
    "template: line end": (template("visit", "Елена", "в 10"), template("visit", "Елена", "в\n10"), 131009),
    "template: tab": (template("visit", "Елена", "в 10"), template("visit", "Елена", "в\t10"), 131009),
    "template: spaces": (template("visit", "Елена", "в   10"), template("visit", "Елена", "в     10"), 131009),
    "template: empty": (template("visit", "Елена", "в 10"), template("visit", "Елена", ""), 131008),
    "template: no text": (
        template("visit", "Елена", "в 10"),
        template("visit", "Елена", {"type": "image", "image": {"link": LINK}}),
        132012,
    ),
    "template: names": (NAMED, MISNAMED, 132012),
    "template: header": (NAMED, template("named", {"type": "text", "text": "x", "parameter_name": "who"}), 132000),
    "template: part": (
        template("visit", "Елена", "завтра"),
        template("visit", components=[*template("visit", "a", "b")["template"]["components"], {"type": "tail"}]),
        131009,
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_at_the_limit_it_is_taken_and_above_it_refused(whatsapp, graph, name):
    taken, refused, code = CASES[name]

    assert await graph.code(taken) == 0
    assert whatsapp.violations == []
    response = await graph.send(refused)

    assert graph.code_of(response) == code
    assert response.status_code == 400
    assert [one["path"] for one in whatsapp.violations] == [f"/v23.0/{NUMBER}/messages"]
    assert f"#{code}" in whatsapp.violations[0]["why"]


async def test_a_button_of_a_template_is_named_by_its_place(graph):
    def tap(index):
        body = {"type": "body", "parameters": [{"type": "text", "text": one} for one in ("Елена", "завтра")]}
        button = {"type": "button", "sub_type": "quick_reply", "parameters": [{"type": "payload", "payload": "come"}]}
        return template("visit", components=[body, button | ({} if index is None else {"index": index})])

    assert await graph.code(tap("0")) == 0
    assert await graph.code(tap("1")) == 132000
    assert await graph.code(tap(None)) == 131008


async def test_a_template_that_was_paused_is_refused_and_breaks_no_rule(whatsapp, graph):
    assert await graph.code(template("paused")) == 132015
    assert whatsapp.violations == []


async def test_only_a_message_that_is_there_can_be_reacted_to(graph, chat):
    def heart(message_id, **emoji):
        return {"type": "reaction", "reaction": {"message_id": message_id, **(emoji or {"emoji": "❤"})}}

    assert await graph.code(heart(chat.messages[0].id)) == 0
    assert await graph.code(heart("wamid.none")) == 131009
    assert await graph.code(heart(chat.messages[0].id, emoji=None)) == 131008
    assert await graph.code({"type": "reaction", "reaction": {"emoji": "❤"}}) == 131008


async def test_only_a_received_message_can_be_read(whatsapp, graph, chat):
    def read(message_id, **more):
        return {"status": "read", "message_id": message_id, **more}

    sent = (await graph.send(text("x"))).json()["messages"][0]["id"]

    assert (await graph.send(read(chat.messages[0].id))).json() == {"success": True}
    assert await graph.code(read(chat.messages[0].id, typing_indicator={"type": "text"})) == 0
    assert await graph.code(read(chat.messages[0].id, typing_indicator={"type": "voice"})) == 100
    assert await graph.code(read("wamid.none")) == 100
    assert await graph.code(read(sent)) == 100
    assert len(whatsapp.violations) == 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"'])
async def test_what_is_no_json_object_is_refused(graph, body):
    assert graph.code_of(await graph.call("POST", f"{NUMBER}/messages", content=body)) == 100


async def test_a_number_opens_to_its_own_token_only(whatsapp, graph, number):
    whatsapp.add_number(number.app, id_="222", token="token-of-222", account=number.account)
    whatsapp.add_number(number.app, id_="333", token="token-of-333")
    message = text("x")

    assert await graph.code(message) == 0
    response = await graph.send(message, token="nonsense")
    assert (graph.code_of(response), response.status_code) == (190, 401)
    response = await graph.send(message, token=None)
    assert (graph.code_of(response), response.status_code) == (104, 401)
    response = await graph.send(message, token=number.app.access_token)
    assert (graph.code_of(response), response.status_code) == (10, 403)
    for foreign in ("token-of-222", "token-of-333"):
        response = await graph.send(message, token=foreign)
        assert (graph.code_of(response), response.status_code) == (100, 400)
        assert response.json()["error"]["error_subcode"] == 33
    # Who may see what cannot always be known before.
    assert whatsapp.violations == []


@pytest.mark.parametrize(("version", "code"), [("v17.0", 0), ("v26.0", 0), ("v16.0", 100), ("v23", 100), ("23.0", 100)])
async def test_versions_from_17_on_are_served(graph, version, code):
    assert await graph.code(text("x"), version=version) == code
