"""A figure that was not given does not leave, nor one that was given for something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.company_file import parse_company_file
from db.records import Company, CompanyId, CompanySnapshot, new_id
from locales import Translator, languages
from orchestration.guards.evidence import Fact, evidence_of
from orchestration.guards.figures import Kind
from orchestration.guards.review import review

ELITA = Path(__file__).parents[3] / "examples" / "elita.yaml"


def codes(reply, evidence):
    return {fault.code for fault in review(reply, evidence)}


@pytest.mark.parametrize(
    "reply",
    [
        "Стрижка стоит 2500 руб. и длится 60 минут.",
        "Женская стрижка стоит 2 500 ₽, это 1 час.",
        "Маникюр от 1800 до 2200 руб., полтора часа (90 мин).",
        "Стрижка 2500 руб., а окрашивание 8000 руб.",
        "• Стрижка женская: 2500 руб., 60 мин\n• Маникюр: 1800-2200 руб., 90 мин",
        "Есть время 15:00 у Анны и 16:00 у Марии.",
        "Анна Смирнова: 10:00, 12:30, 15:00; Мария Иванова: 11:00, 16:00.",
        "У Анны свободно:\n10:00\n12:30\nКакое время вам подходит?",
        "Вы писали 16:30, но у Анны свободно 15:00.",
        "Свободно в 3 pm and 11 am",
        "Если опоздаете больше чем на 15 минут, стрижка может быть короче. Стрижка за 3 часа до визита переносится.",
        "Приходите втроём!",
        "Позвоните: +7 (495) 123-45-67, ул. Тверская, 15",
        "A haircut is 2,500 RUB, a manicure 1,800 to 2,200 RUB.",
        "Two gel polishes are ready.",
        "Шаш қию 2500 рубль, 60 минут.",
        "Шампунь Matrix стоит 1200 руб.",
        "Работаем с 9:00 до 21:00, ул. Тверская, 15.",
    ],
)
def test_what_was_given_may_be_said(evidence, reply):
    assert review(reply, evidence("all", asked="можно в 16:30?")) == ()


@pytest.mark.parametrize(
    "reply",
    [
        "Для вас 2000 руб.",
        "Всего 1 999 рублей",
        "Стрижка от 1500 до 2500 руб.",
        "That is $20",
        "Это займёт 45 минут",
        "Это займёт 7 часов",
        "Свободно в 17:30",
        "Цена 16 руб.",
        "It is 1,500 RUB",
        "Бағасы 3 500 теңге",
        "₸ 3500",
        "Стрижка стоит две тысячи рублей.",
        "Стрижка стоит 10 тыс. руб.",
        "Стрижка обойдётся в 2к",
        "Стрижка стоит всего 1000",
        "Свободно в 7 вечера, в 19 часов",
        "Есть окно at 7 pm",
    ],
)
def test_what_was_not_given_may_not(evidence, reply):
    assert "unknown_figure" in codes(reply, evidence("all", asked="16:30? за 2000 руб."))


@pytest.mark.parametrize(
    "reply",
    [
        "Стрижка стоит 1800 руб.",
        "Окрашивание стоит 2500 руб., стрижка 8000 руб.",
        "Маникюр займёт 180 минут.",
        "У Марии свободно 15:00.",
        "Анна может в 16:00, Мария в 10:00.",
        "Анна: 11:00, 16:00",
        "Шампунь Matrix стоит 2500 руб.",
        "Стрижка: 1200 руб.",
        "Стрижка у Анны. Стоит 1800 руб.",
        "Anna is free at 16:00",
    ],
)
def test_a_figure_counts_only_for_the_service_and_the_master_that_it_was_given_for(evidence, reply):
    assert "unknown_figure" in codes(reply, evidence("all"))


def test_a_masters_own_price_beats_the_general_one(evidence):
    known = evidence("services")
    own = Fact(
        kind=Kind.MONEY, value="3500", services=frozenset({"Стрижка женская"}), staff=frozenset({"Анна Смирнова"})
    )
    known = replace(known, facts=known.facts | {own})

    assert review("Стрижка у Анны 3500 руб., у Марии 2500 руб.", known) == ()
    assert codes("Стрижка у Анны 2500 руб.", known) == {"unknown_figure"}
    assert codes("Стрижка у Марии 3500 руб.", known) == {"unknown_figure"}


def test_no_price_is_told_from_a_picture(evidence):
    assert codes("Такое окрашивание стоит 8000 руб.", evidence("services", saw_picture=True)) == {"unknown_figure"}


@pytest.mark.parametrize("currency", ["RUB", "KZT", "USD", "EUR", "BYN", "UZS", "KGS", "UAH", "GEL", "AMD"])
@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("amount", [9_00, 1_900_00, 12_900_00, 12_900_50, 1_234_900_00])
def test_money_is_known_and_missed_as_every_language_writes_it(evidence, language, currency, amount):
    said = Translator.for_language(language).money(amount, currency)
    known = evidence("services")
    given = replace(known, facts=known.facts | {Fact(kind=Kind.MONEY, value=str(amount // 100))})

    assert review(f"{said}!", given) == ()
    assert codes(f"{said}!", known) == {"unknown_figure"}


def test_a_figure_that_only_staffs_note_gives_may_be_said_while_the_note_counts():
    file = parse_company_file(ELITA.read_text(encoding="utf-8"))
    company = Company(id=CompanyId(new_id()), slug="elita", name=file.name)
    bare = CompanySnapshot(company=company, agent=file.agent, branches=file.branches, crm=None)

    def said(snapshot):
        evidence = evidence_of(
            snapshot,
            earlier=(),
            said=(),
            history=(),
            client_words="Сколько стоит стрижка в субботу?",
            rules="",
            tools=(),
            now=datetime(2026, 11, 24, 12, 0),  # noqa: DTZ001 (the clock on the branch's wall)
            saw_picture=False,
        )
        return codes("Стрижка в субботу стоит 2400 руб.", evidence)

    assert said(bare)
    assert not said(replace(bare, notes=("В субботу женская стрижка 2400 руб.",)))
