"""The company's file: every error at once with its line; what is written is read back to the byte."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.companies import create_from_file, file_of, replace_from_file, slug_of
from bot.company_file import CompanyFileErrors, parse_company_file, write_company_file
from db.records import Booking, PriceRange

ELITA = (Path(__file__).parents[2] / "examples" / "elita.yaml").read_text(encoding="utf-8")

FULL = """\
name: Клиника Улыбка
slug: ulybka
email: a@b.example
plan: pro
description: Стоматология
language: ru
currency: RUB
mode: draft
branches:
  - key: center
    name: Центр
    address: Москва, ул. Мира, 1
    time_zone: Europe/Moscow
    hours:
      mon-fri: 9:00-13:00, 14:00-21:00
      sat: 10:00-24:00
      sun: closed
      exceptions:
        2026-12-31: 9:00-15:00
        2027-01-01: closed
    crm_account_id: '12'
    staff_chat: '-100200'
  - key: north
    name: Север
    time_zone: Europe/Moscow
services:
  - name: Чистка
    crm_id: '77'
    price: 3000-4500
    duration: 60
    booking: person
    ask_before:
      - Есть ли аллергия?
    overrides:
      - branch: north
        master: Иван Кузнецов
        price: '2500.50'
        duration: 45
  - name: Имплант
    booking: link
    link: https://example.org/implant
faq:
  - question: Есть парковка?
    answer: Да, во дворе.
policies:
  опоздание: Ждём 15 минут.
  отмена: Не позже чем за 3 часа.
instructions: |-
  Говори коротко.
  Не спорь.
crm:
  type: yclients
  flavour: altegio
"""


@pytest.mark.parametrize("text", [ELITA, FULL], ids=["elita", "full"])
def test_a_canonical_file_is_written_back_to_the_byte(text):
    assert write_company_file(parse_company_file(text)) == text


def test_every_field_is_understood():
    file = parse_company_file(FULL)
    center, north = file.branches
    cleaning, implant = file.agent.services

    assert (center.key, center.crm_account_id, center.staff_chat, north.name) == ("center", "12", "-100200", "Север")
    assert [one.opens for one in center.hours.on(date(2026, 11, 24))] == [time(9), time(14)]
    assert center.hours.on(date(2027, 1, 1)) == ()
    assert center.hours.on(date(2026, 11, 28))[0].closes == time(0)
    assert cleaning.price == PriceRange(low=300000, high=450000)
    assert cleaning.overrides[0].price == PriceRange(low=250050)
    assert cleaning.overrides[0].duration == timedelta(minutes=45)
    assert (cleaning.booking, implant.booking) == (Booking.PERSON, Booking.LINK)
    assert (file.crm_type, file.crm_options) == ("yclients", {"flavour": "altegio"})


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("name: ''\nslug: Элита\n", ["line 1: name", "line 2: slug"]),
        ("name: A\nservces: []\n", ["line 2: servces: unknown field, did you mean 'services'?"]),
        ("slug: a\n", ["line 1: name: is missing"]),
        ("name: A\ntime_zone: Moscow\n", ["line 2: time_zone: 'Moscow' is no IANA time zone"]),
        ("name: A\nhours:\n  mon: 9-21\n", ["hours are written 9:00-21:00"]),
        ("name: A\nhours:\n  foo: 9:00-21:00\n", ["'foo' is no weekday"]),
        ("name: A\nhours:\n  mon: 21:00-9:00\n", ["ends before it begins"]),
        ("name: A\nhours:\n  mon: 9:00-14:00, 13:00-20:00\n", ["overlap"]),
        ("name: A\nhours:\n  mon-wed: 9:00-14:00\n  tue: 9:00-14:00\n", ["said twice"]),
        (
            "name: A\nservices:\n  - name: B\n    price: 2500-\n  - nme: C\n",
            ["line 4", "line 5", "did you mean 'name'?"],
        ),
        ("name: A\nservices:\n  - name: B\n  - name: b\n", ["is there twice"]),
        ("name: A\nservices:\n  - name: B\n    booking: link\n", ["needs a link"]),
        ("name: A\nservices:\n  - name: B\n    overrides:\n      - branch: x\n", ["there is no branch 'x'"]),
        ("name: A\nservices:\n  - name: B\n    overrides:\n      - price: 5\n", ["names a branch, a master, or both"]),
        ("name: A\naddress: x\nbranches:\n  - key: a\n    name: A\n", ["not at the top level"]),
        ("name: A\nbranches:\n  - {key: a, name: A}\n  - {key: a, name: B}\n", ["same key"]),
        ("name: A\ncrm:\n  type: other\n", ["unknown crm type 'other'"]),
        ("name: A\ncrm:\n  type: yclients\n  user_token: abc\n", ["is a secret"]),
        ("name: A\ncrm:\n  type: yclients\n  colour: red\n", ["colour"]),
        ("name: [", ["not YAML"]),
        ("- 1", ["a list of fields"]),
        ("", ["a list of fields"]),
        ("name: A\nname: B\n", ["line 2", "not YAML"]),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(text, faults):
    with pytest.raises(CompanyFileErrors) as refused:
        parse_company_file(text)
    for fault in faults:
        assert fault in str(refused.value)


async def test_what_was_imported_is_exported_to_the_byte_and_a_repeat_changes_nothing(core):
    for _ in range(2):
        company = await replace_from_file(core.companies, parse_company_file(FULL))
    snapshot = await core.companies.get_snapshot(company.id)

    assert write_company_file(file_of(snapshot, [])) == FULL
    assert len(await core.companies.list_companies()) == 1


async def test_a_company_without_a_file_gets_a_slug_and_a_branch(core):
    company = await create_from_file(core.companies, name="Барбершоп «Борода»", slug=None, file=None)

    assert company.slug == "barbershop-boroda"
    assert [branch.key for branch in (await core.companies.get_snapshot(company.id)).branches] == ["main"]
    assert slug_of("!!!") == "company"
