"""The company's file, read: every error at once, each with its line. Written: test_company_export.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from bot.companies import create_from_file, replace_from_file, slug_of
from bot.company_file import CompanyFileErrors, parse_company_file
from db.catalogue import Booking, PriceRange
from db.quiet_hours import QuietHours
from db.records import ChannelType
from handlers.base import CHANNELS
from locales import languages

FULL = (Path(__file__).parent / "fixtures" / "company_file__everything.yaml").read_text(encoding="utf-8")

EVERYTHING_WRONG = """\
name: ''
slug: Элита
time_zone: Moscow
language: xx
quiet_seconds: 1.2345
hours:
  mon-fri: 25:00-21:00
  xyz: closed
  tue: 9:00-7:00, 10-11
  sun-mon: closed
  sat: 10:00-24:00, 12:00-14:00
  exceptions:
    2026-13-01: closed
    2026-12-31: 9:00
branches:
  - key: north
    name: Север
  - key: north
    nme: Юг
services:
  - name: Стрижка
    price: 2500-
    duration: 0
    overrides:
      - branch: sout
      - price: 5
  - name: стрижка
    booking: link
crm:
  type: nonsuch
  user_token: abc
  colour: red
channels:
  - pigeon
  - pigeon
servces: []
slug: elita
"""

BILLION_LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
)


def faults_of(text):
    with pytest.raises(CompanyFileErrors) as refused:
        parse_company_file(text)
    return refused.value.faults


def test_every_error_of_a_file_is_told_at_once_with_its_line():
    lines = EVERYTHING_WRONG.splitlines()
    told = [(line, lines[line - 1].strip(), text.split(": ", 1)) for line, text in faults_of(EVERYTHING_WRONG)]
    found = {(source, path) for _, source, (path, _) in told}

    assert found == {
        ("name: ''", "name"),
        ("slug: Элита", "slug"),
        ("time_zone: Moscow", "time_zone"),
        ("language: xx", "language"),
        ("quiet_seconds: 1.2345", "quiet_seconds"),
        ("hours:", "hours"),
        ("mon-fri: 25:00-21:00", "hours.mon-fri"),
        ("xyz: closed", "hours.xyz"),
        ("tue: 9:00-7:00, 10-11", "hours.tue"),
        ("sun-mon: closed", "hours.sun-mon"),
        ("sat: 10:00-24:00, 12:00-14:00", "hours.sat"),
        ("2026-13-01: closed", "hours.exceptions.2026-13-01"),
        ("2026-12-31: 9:00", "hours.exceptions.2026-12-31"),
        ("- key: north", "branches.2.key"),
        ("- key: north", "branches.2.name"),
        ("nme: Юг", "branches.2.nme"),
        ("price: 2500-", "services.1.price"),
        ("duration: 0", "services.1.duration"),
        ("- branch: sout", "services.1.overrides.1.branch"),
        ("- price: 5", "services.1.overrides.2"),
        ("- name: стрижка", "services.2.name"),
        ("booking: link", "services.2.booking"),
        ("type: nonsuch", "crm.type"),
        ("user_token: abc", "crm.user_token"),
        ("colour: red", "crm.colour"),
        ("- pigeon", "channels.1"),
        ("- pigeon", "channels.2"),
        ("servces: []", "servces"),
        ("slug: elita", "slug (again)"),
    }
    assert [text for line, text in faults_of(EVERYTHING_WRONG) if line == 9] == [
        "hours.tue: '10-11': hours are written 9:00-21:00, 9:00-13:00, 14:00-18:00, or closed",
        "hours.tue: '9:00-7:00' ends before it begins",
        "hours.tue: tue is said twice",
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("name: A\nservces: []\n", ["line 2: servces: unknown field, did you mean 'services'?"]),
        ("slug: a\n", ["line 1: name: is missing"]),
        ("name: A\ntime_zone: Moscow\n", ["line 2: time_zone: 'Moscow' is no IANA time zone"]),
        ("name: A\ntime_zone: Europe\n", ["line 2: time_zone: 'Europe' is no IANA time zone"]),
        ("name: A\nproducts:\n  - name: B\n    price: " + "9" * 400, ["line 4: products.1.price: a price is written"]),
        ("name: A\nlanguage: xx\n", ["line 2: language: there are no texts in 'xx'; the languages are en, kk, ru"]),
        ("name: A\nhours: 9-21\n", ["hours are written by weekday"]),
        ("name: A\nhours:\n  mon:\n", ["line 3: hours.mon: '': hours are written 9:00-21:00"]),
        ("name: A\nhours:\n  foo: 9:00-21:00\n", ["'foo' is no weekday"]),
        ("name: A\nhours:\n  mon: 21:00-9:00\n", ["ends before it begins"]),
        ("name: A\nhours:\n  mon: 9:00-24:30\n", ["ends after 24:00"]),
        ("name: A\nhours:\n  mon: 9:00-14:00, 13:00-20:00\n", ["overlap"]),
        ("name: A\nhours:\n  mon: 10:00-24:00, 12:00-14:00\n", ["overlap"]),
        ("name: A\nhours:\n  mon-wed: 9:00-14:00\n  tue: 9:00-14:00\n", ["line 4: hours.tue: tue is said twice"]),
        ("name: A\nhours:\n  exceptions: [2026-12-31]\n", ["line 3: hours.exceptions: exceptions are written by date"]),
        ("name: A\nhours:\n  exceptions:\n    2026-13-01: closed\n", ["line 4", "there is no day '2026-13-01'"]),
        ("name: A\nhours:\n  exceptions:\n    20261231: closed\n", ["line 4", "a date is written 2026-12-31"]),
        (
            "name: A\nservices:\n  - name: B\n    price: 2500-\n  - nme: C\n",
            ["line 4", "line 5", "did you mean 'name'?"],
        ),
        ("name: A\nservices:\n  - name: B\n  - name: b\n", ["line 4: services.2.name: the service 'b' is there twice"]),
        ("name: A\nservices:\n  - name: B\n    booking: link\n", ["line 4", "needs a link"]),
        ("name: A\nservices:\n  - name: B\n    overrides:\n      - branch: x\n", ["line 5", "there is no branch 'x'"]),
        ("name: A\nservices:\n  - name: B\n    overrides:\n      - price: 5\n", ["line 5", "a master, or both"]),
        ("name: A\naddress: x\nbranches:\n  - key: a\n    name: A\n", ["line 2: address", "not at the top level"]),
        ("name: A\nbranches:\n  - {key: a, name: A}\n  - {key: a, name: B}\n", ["line 4", "the same key 'a'"]),
        ("name: A\ncrm:\n  type: other\n", ["line 3: crm.type: unknown crm type 'other'"]),
        ("name: A\ncrm:\n  type: yclients\n  user_token: abc\n", ["line 4", "is a secret"]),
        ("name: A\ncrm:\n  type: yclients\n  colour: red\n", ["line 4", "colour"]),
        ("name: A\ncrm:\n  type: yclients\n  flavour: [a]\n", ["line 4", "one word or number"]),
        ("name: A\npolicies:\n  x: ''\n  '': y\n", ["line 3: policies.x", "line 4: policies."]),
        ("name: A\nreminders: on\n", ["line 2: reminders: reminders are off (the CRM sends them itself), or a list"]),
        ("name: A\nreminders: []\n", ["line 2: reminders: reminders are off"]),
        ("name: A\nreminders: [24h, 10m]\n", ["reminders: '10m': at least 45m and at most 7d before a visit"]),
        ("name: A\nreminders: [soon]\n", ["reminders: 'soon': how long before a visit is written 24h, 90m or 2d"]),
        ("name: A\nreminders: [24h, 1d]\n", ["reminders: one of these is there twice"]),
        ("name: A\nreminders: [4d, 3d, 2d, 1d]\n", ["reminders: at most 3 reminders of one visit"]),
        ("name: A\nquiet_hours: night\n", ["line 2: quiet_hours: quiet hours are written 21:00-9:00"]),
        ("name: A\nquiet_hours: 9:00-9:00\n", ["line 2: quiet_hours: quiet hours cannot be the whole day"]),
        ("name: [", ["not YAML"]),
        ("name: A\nslug: \x07\n", ["line 2: not YAML"]),
        ("- 1", ["a list of fields"]),
        ("", ["a list of fields"]),
        ("name: A\nname: B\n", ["line 2", "name stands on line 1 already"]),
        ("name: A\nemail: !mail a@b.example\n", ["line 2: email: tags such as !mail"]),
        ("name: A\n? [a]\n: b\n", ["line 2", "a field's name is one word"]),
        ("name: &a [*a]\n", ["nested too deeply"]),
        ("name: " + "[" * 2000, ["not YAML"]),
        (BILLION_LAUGHS, ["too many values"]),
    ],
)
def test_a_bad_file_says_what_is_wrong_and_where(text, faults):
    said = "\n".join(f"line {line}: {fault}" for line, fault in faults_of(text))

    for fault in faults:
        assert fault in said


@pytest.mark.parametrize("name", ["telegram", "api", "whatsapp", "voice", "pigeon"])
def test_a_channel_that_this_version_has_not_is_refused(name):
    text = f"name: A\nchannels:\n  - {name}\n"

    if name in CHANNELS:
        assert parse_company_file(text).channels == (ChannelType(name),)
    else:
        assert faults_of(text) == (
            (3, f"channels.1: {name!r} is not a channel of this version: telegram, whatsapp, voice, api"),
        )


def test_every_language_that_there_are_texts_for_is_taken():
    for code in languages():
        assert parse_company_file(f"name: A\nlanguage: {code}\n").agent.language == code


def test_what_looks_like_a_number_or_a_date_is_kept_as_it_is_written():
    file = parse_company_file(
        "name: 2026-11-24\nphone: +74951234567\ncrm_account_id: 007\nstaff_chat: -100200\n"
        "services:\n  - name: 1.10\n    crm_id: 0x1F\n    duration: 60\n    price: 2500.50\n"
    )
    [branch], [service] = file.branches, file.agent.services

    assert (file.name, branch.phone, branch.crm_account_id) == ("2026-11-24", "+74951234567", "007")
    assert (branch.staff_chat, service.name, service.crm_id) == ("-100200", "1.10", "0x1F")
    assert (service.duration, service.price) == (timedelta(hours=1), PriceRange(low=250050))


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
    assert file.channels == (ChannelType.TELEGRAM, ChannelType.API)
    assert file.agent.quiet == timedelta(milliseconds=1250)
    assert file.agent.longest_gap == timedelta(0)
    assert file.agent.most_open_bookings == 3
    assert file.agent.people.branch_modes == {"north": "draft"}
    assert file.agent.reminders == (timedelta(hours=24), timedelta(minutes=90))
    assert file.agent.quiet_hours == QuietHours(begins=time(22), until=time(8, 30))


@pytest.mark.parametrize(
    ("said", "leads"),
    [
        ("", None),
        ("reminders:\n", None),
        ("reminders: off\n", ()),
        ("reminders: [2h, 1d]\n", (timedelta(days=1), timedelta(hours=2))),
    ],
)
def test_whether_clients_are_reminded_is_said_not_said_or_said_to_be_the_crms_own(said, leads):
    assert parse_company_file(f"name: A\n{said}").agent.reminders == leads


def test_no_comment_in_the_crm_is_for_the_client_unless_the_file_says_how_it_starts():
    file = "name: Борода\nslug: boroda\ntime_zone: Asia/Yekaterinburg\n"

    assert parse_company_file(file).agent.people.crm_phrase is None
    assert parse_company_file(f"{file}people:\n  crm_phrase: 'Клиенту: '\n").agent.people.crm_phrase == "Клиенту:"
    with pytest.raises(CompanyFileErrors, match="crm_phrase"):
        parse_company_file(f"{file}people:\n  crm_phrase: '--'\n")


async def test_a_repeated_import_changes_nothing(core):
    company = await replace_from_file(core.companies, parse_company_file(FULL))
    first = await core.companies.get_snapshot(company.id)
    await replace_from_file(core.companies, parse_company_file(FULL))

    again = await core.companies.get_snapshot(company.id)
    # The same secrets are another ciphertext each time.
    assert replace(again, crm=None) == replace(first, crm=None)
    assert len(await core.companies.list_companies()) == 1


async def test_a_company_without_a_file_gets_a_slug_and_a_branch(core):
    company = await create_from_file(core.companies, name="Барбершоп «Борода»", slug=None, file=None)

    assert company.slug == "barbershop-boroda"
    assert [branch.key for branch in (await core.companies.get_snapshot(company.id)).branches] == ["main"]
    assert slug_of("!!!") == "company"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('name: "a\\0b"', "line 1: name:"),
        ('name: x\npolicies:\n  "a\\0": b', "line 3: policies."),
        ('name: x\ncrm:\n  type: yclients\n  company_id: "\\ud83d"', "line 4: crm.company_id:"),
        ('name: x\nhighlights: ["\\x00"]', "line 2: highlights.1:"),
    ],
)
def test_what_no_database_keeps_is_a_fault_with_its_line(text, place):
    with pytest.raises(CompanyFileErrors, match="may not stand in it") as caught:
        parse_company_file(text)

    assert place in str(caught.value)
