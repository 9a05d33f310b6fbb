"""The local 1C refuses what the platform refuses, and answers in its ways."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, encode_basic_auth
from yarl import URL

from sandbox.one_c.odata.plain import Plain
from sandbox.one_c.odata.salon_names import SalonNames
from sandbox.one_c.odata.staff_side import PASSWORD, USER, OneCODataSalon
from sandbox.one_c.odata.unf import PRICE_KIND, Unf
from sandbox.seeds import elita_business
from sandbox.staff_side import double_bookings, shown_day

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
JSON = "$format=application/json;odata=nometadata"
KEY = "11111111-2222-5333-8444-555555555555"


@dataclass
class Reply:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        return int(self.json["odata.error"]["code"])


@pytest.fixture
async def make(clock):
    started = []
    clock.now = NOON

    async def making(configuration=Plain):
        salon = OneCODataSalon(elita_business(), clock=clock, configuration=configuration)
        await salon.start()
        started.append(salon)
        return salon

    yield making
    for salon in started:
        await salon.stop()


@pytest.fixture
async def salon(make):
    return await make()


@pytest.fixture
async def ask():
    async with ClientSession() as session:

        async def asking(salon, method, resource, query=JSON, body=None, *, auth=(USER, PASSWORD), headers=None):
            address = f"{salon.url}/salon/odata/standard.odata/{quote(resource)}?{quote(query, safe='$=&;,/')}"
            login = {"Authorization": encode_basic_auth(*auth, encoding="utf-8")} if auth else {}
            async with session.request(
                method, URL(address, encoded=True), json=body, headers={**login, **(headers or {})}
            ) as answer:
                return Reply(answer.status, await answer.text(), dict(answer.headers))

        yield asking


@pytest.fixture
def rows(ask):
    async def reading(salon, resource, query=""):
        answer = await ask(salon, "GET", resource, f"{JSON}&{query}" if query else JSON)
        assert answer.status == 200, answer.text
        return answer.json["value"]

    return reading


def visit(salon, **more):
    base, names = salon.base, salon.configuration
    return {
        "Date": "2026-11-24T12:00:00",
        "Начало": "2026-11-25T15:00:00",
        "Длительность": 60,
        "Мастер_Key": names.key_of(base, names.staff, "Анна Смирнова"),
        "Клиент_Key": salon.add_client("Елена", "+7 916 123-45-67"),
        "Статус": "Записан",
        "Услуги": [{"LineNumber": "1", "Услуга_Key": names.key_of(base, names.services, "Стрижка женская")}],
        **more,
    }


@pytest.mark.parametrize("auth", [None, (USER, "wrong"), ("другой", PASSWORD)])
async def test_a_wrong_user_or_password_is_401(salon, ask, auth):
    assert (await ask(salon, "GET", "", auth=auth)).status == 401
    assert (await ask(salon, "GET", "")).status == 200


async def test_without_a_word_about_json_the_answer_is_atom(salon, ask):
    atom = await ask(salon, "GET", "Catalog_Мастера", "$top=1")
    named = await ask(salon, "GET", "Catalog_Мастера", "$format=json&$top=1")
    short = await ask(salon, "GET", "Catalog_Мастера", f"{JSON}&$top=1")
    wrong = await ask(salon, "GET", "Catalog_Нет", "")

    assert atom.headers["Content-Type"].startswith("application/atom+xml")
    assert "<feed" in atom.text
    assert "$metadata#Catalog_Мастера" in named.json["odata.metadata"]
    assert list(short.json) == ["value"]
    assert "<m:code>8</m:code>" in wrong.text


async def test_what_is_not_switched_on_is_neither_listed_nor_described_nor_found(salon, ask):
    salon.base.switched_on.discard("Catalog_Клиенты")

    listed = [one["name"] for one in (await ask(salon, "GET", "")).json["value"]]
    described = (await ask(salon, "GET", "$metadata")).text
    refused = await ask(salon, "GET", "Catalog_Клиенты")

    assert "Catalog_Мастера" in listed
    assert "Catalog_Клиенты" not in listed
    assert 'EntityType Name="Catalog_Мастера"' in described
    assert "Catalog_Клиенты" not in described
    assert (refused.status, refused.code) == (404, 8)


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("Description eq 'Маникюр'", 1),
        ("Description ne 'Маникюр' and IsFolder eq false", 4),
        ("Длительность ge 90 and Длительность lt 180", 2),
        ("Длительность le 60 or Длительность gt 180", 3),
        ("not (IsFolder eq true)", 5),
        ("substringof('рижка', Description)", 1),
        ("startswith(Description, 'Сва') eq true", 1),
        ("like(Description, '%к%р%')", 2),
        ("Ref_Key eq guid'00000000-0000-0000-0000-000000000000'", 0),
        ("Description eq 'Д''Артаньян'", 0),
    ],
)
async def test_filters_select(salon, rows, filter_, found):
    assert len(await rows(salon, "Catalog_Услуги", f"$filter={filter_}")) == found


@pytest.mark.parametrize(
    ("filter_", "code"),
    [("Description eq", 1), ("Нет eq 1", 10), ("length(Description) eq 1", 21), ("Длительность gt 'a'", 14)],
)
async def test_a_filter_that_cannot_be_read_is_refused_and_remembered(salon, ask, filter_, code):
    refused = await ask(salon, "GET", "Catalog_Услуги", f"{JSON}&$filter={filter_}")

    assert (refused.status, refused.code) == (400, code)
    assert salon.violations


async def test_a_part_of_a_page_in_an_order_and_the_count_that_ignores_pages(salon, ask, rows):
    page = await rows(salon, "Catalog_Мастера", "$orderby=Description desc&$skip=1&$top=2&$select=Description")
    counted = (await ask(salon, "GET", "Catalog_Мастера", f"{JSON}&$inlinecount=allpages&$top=1")).json
    count = await ask(salon, "GET", "Catalog_Мастера/$count", "$filter=ВедетПрием eq true")

    assert [list(row.values()) for row in page] == [["Мария Иванова"], ["Лист ожидания"]]
    assert counted["odata.count"] == "5"
    assert len(counted["value"]) == 5
    assert count.text == "4"


async def test_a_slice_holds_the_latest_price_of_a_moment_under_a_condition(salon, rows):
    name = "InformationRegister_ЦеныУслуг"
    key = salon.configuration.key_of(salon.base, "Catalog_Услуги", "Маникюр")

    [now] = await rows(salon, f"{name}/SliceLast(Condition='Услуга_Key eq guid'{key}'')")
    [then] = await rows(
        salon, f"{name}/SliceLast(Condition='Услуга_Key eq guid'{key}'',Period=datetime'2025-01-01T00:00:00')"
    )

    assert (now["Цена"], then["Цена"]) == (1800, 1700)
    assert len(await rows(salon, name)) == 2 * len(await rows(salon, f"{name}/SliceLast"))


async def test_a_client_is_found_by_a_row_of_contact_information(salon, rows, ask):
    key = salon.add_client("Елена", "+7 (916) 123-45-67")
    salon.add_client("Другая", "+7 916 765-43-21")

    by_owner = await rows(
        salon, "Catalog_Клиенты", "$filter=КонтактнаяИнформация/any(d: substringof('9161234567', d/НомерТелефона))"
    )
    by_row = await rows(salon, "Catalog_Клиенты_КонтактнаяИнформация", f"$filter=Ref_Key eq guid'{key}'")
    direct = await ask(salon, "POST", "Catalog_Клиенты_КонтактнаяИнформация", body={"Ref_Key": key})

    assert [row["Ref_Key"] for row in by_owner] == [key]
    assert by_owner[0]["КонтактнаяИнформация"][0]["LineNumber"] == "1"
    assert by_row[0]["НомерТелефона"] == "79161234567"
    assert direct.code == 13


async def test_a_document_is_created_under_our_key_once(salon, ask):
    made = await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY, Чужое=1))
    again = await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))
    salon.base.ignores_client_keys = True
    other = await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))

    assert made.status == 201
    assert KEY in made.headers["Location"]
    assert (made.json["Ref_Key"], made.json["Длительность"], made.json["Posted"]) == (KEY, "60", False)
    assert "Чужое" not in made.json
    assert (again.status, again.code) == (400, 15)
    assert other.status == 201
    assert other.json["Ref_Key"] != KEY
    assert salon.violations == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Начало": "2026-11-25T15:00:00+03:00"}, 4),
        ({"Длительность": "час"}, 4),
        ({"Мастер_Key": "Анна"}, 4),
        ({"Статус": "Неведомый"}, 4),
        ({"Услуги": [{"Цена": 1}]}, 5),
        ({"Date": "0001-01-01T00:00:00"}, 5),
        ({"Posted": True}, 16),
    ],
)
async def test_a_wrong_value_is_refused_by_its_code_and_nothing_is_written(salon, ask, wrong, code):
    refused = await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, **wrong))

    assert refused.code == code
    assert salon.list_visits() == ()
    assert salon.violations


async def test_a_version_read_before_somebody_elses_change_is_412(salon, ask):
    made = (await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))).json
    name, seen = f"Document_ЗаписьКлиента(guid'{KEY}')", {"If-Match": made["DataVersion"]}
    salon.move_by_hand(KEY, datetime(2026, 11, 25, 17, 0))  # noqa: DTZ001

    stale = await ask(salon, "PATCH", name, body={"Статус": "Отменен"}, headers=seen)
    now = (await ask(salon, "GET", name)).json
    fresh = await ask(salon, "PATCH", name, body={"Статус": "Отменен"}, headers={"If-Match": now["DataVersion"]})

    assert stale.status == 412
    assert fresh.status == 200
    assert fresh.json["Начало"] == "2026-11-25T17:00:00"
    assert salon.list_visits()[0].cancelled


async def test_a_document_is_posted_and_unposted_and_a_failure_leaves_it_as_it_was(salon, ask):
    await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))
    name = f"Document_ЗаписьКлиента(guid'{KEY}')"

    posted = await ask(salon, "POST", f"{name}/Post", f"{JSON}&PostingModeOperational=false")
    marked = await ask(salon, "PATCH", name, body={"DeletionMark": True})
    unposted = await ask(salon, "POST", f"{name}/Unpost")
    salon.base.posting_fails = "Не хватает прав"
    failed = await ask(salon, "POST", f"{name}/Post", f"{JSON}&PostingModeOperational=false")
    bare = await ask(salon, "POST", f"{name}/Post")

    assert (posted.status, unposted.status) == (200, 200)
    assert (marked.status, marked.code) == (500, -1)
    assert (failed.status, failed.code) == (500, -1)
    assert bare.code == 12
    assert salon.base.rows["Document_ЗаписьКлиента"][(KEY,)]["Posted"] is False


async def test_a_change_of_a_posted_document_leaves_its_movements_behind(salon, ask):
    await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))
    name = f"Document_ЗаписьКлиента(guid'{KEY}')"
    await ask(salon, "POST", f"{name}/Post", f"{JSON}&PostingModeOperational=false")

    await ask(salon, "PATCH", name, body={"Комментарий": "новый"})

    assert salon.base.stale == {KEY}


async def test_a_deletion_is_for_good(salon, ask):
    await ask(salon, "POST", "Document_ЗаписьКлиента", body=visit(salon, Ref_Key=KEY))
    name = f"Document_ЗаписьКлиента(guid'{KEY}')"

    assert (await ask(salon, "DELETE", name)).status == 204
    gone = await ask(salon, "GET", name)
    assert (gone.status, gone.code) == (404, 9)
    assert salon.list_visits() == ()


async def test_rights_on_rows_refuse_the_whole_unless_only_the_allowed_are_asked_for(salon, ask, rows):
    key = salon.configuration.key_of(salon.base, "Catalog_Мастера", "Анна Смирнова")
    salon.base.hidden.add(key)

    whole = await ask(salon, "GET", "Catalog_Мастера")
    beside = await rows(salon, "Catalog_Мастера", "$filter=Description ne 'Анна Смирнова'")
    allowed = await rows(salon, "Catalog_Мастера", "allowedOnly=true")

    assert (whole.status, whole.code) == (401, 20)
    assert len(beside) == len(allowed) == 4


async def test_empty_values_are_a_zero_key_and_the_first_of_dates(salon, ask):
    made = await ask(salon, "POST", "Document_ЗаписьКлиента", body={"Date": "2026-11-24T12:00:00"})

    assert made.json["Мастер_Key"] == "00000000-0000-0000-0000-000000000000"
    assert made.json["Начало"] == "0001-01-01T00:00:00"


async def test_a_composite_reference_equals_only_what_is_cast(make, rows):
    salon = await make(SalonNames)
    salon.book_by_hand(
        master="Анна Смирнова",
        service="Стрижка женская",
        starts=datetime(2026, 11, 25, 15, 0),  # noqa: DTZ001
        client="Елена",
        phone="+79161234567",
    )
    [card] = await rows(salon, "Catalog_Клиенты")
    name, key = "Document_ПредварительнаяЗапись", f"guid'{card['Ref_Key']}'"

    assert await rows(salon, name, f"$filter=Клиент eq {key}") == []
    assert len(await rows(salon, name, f"$filter=Клиент eq cast({key}, 'Catalog_Клиенты')")) == 1


@pytest.mark.parametrize("configuration", [Plain, Unf, SalonNames])
async def test_staff_book_move_and_cancel_in_every_configurations_names(make, configuration):
    salon = await make(configuration)
    starts = datetime(2026, 11, 25, 15, 0)  # noqa: DTZ001
    booking = {"master": "Анна Смирнова", "service": "Стрижка женская", "client": "Елена", "phone": "+79161234567"}

    first = salon.book_by_hand(starts=starts, **booking)
    salon.book_by_hand(starts=starts, **booking)
    [one, other] = salon.list_visits()
    assert (one.master, one.services, one.client, one.minutes) == ("Анна Смирнова", ("Стрижка женская",), "Елена", 60)
    assert (one.starts, other.starts) == (starts, starts)
    assert double_bookings(salon) == 1

    salon.move_by_hand(first, starts.replace(hour=17))
    assert double_bookings(salon) == 0
    salon.cancel_by_hand(first)
    assert [visit.cancelled for visit in salon.list_visits()] == [False, True]
    assert [len(column["records"]) for column in shown_day(salon, date(2026, 11, 25))["columns"]] == [1, 0, 0]


async def test_prices_of_several_kinds_are_told_apart_by_their_key(make, rows):
    salon = await make(Unf)

    found = await rows(
        salon, f"InformationRegister_ЦеныНоменклатуры/SliceLast(Condition='ВидЦен_Key eq guid'{PRICE_KIND}'')"
    )

    assert len(found) == 5
