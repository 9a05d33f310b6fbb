"""The scripted model reads days, times, services and names as clients write them."""

from datetime import date

import pytest

from sandbox.scripted.dates import Span, find_days
from sandbox.scripted.intents import Intent, find_intents, is_no, is_yes, says_anyone
from sandbox.scripted.times import find_times
from sandbox.scripted.words import (
    best_matches,
    features,
    find_client_name,
    find_phone,
    find_staff_hint,
    find_visitor_name,
    names_person,
)

TUESDAY = date(2026, 11, 24)


def written(span: Span | None) -> str:
    """Write days shortly: "25", "28-29"; with the month unless it is November 2026."""
    if span is None:
        return ""
    first, last = (f"{one:%d}" if (one.year, one.month) == (2026, 11) else f"{one:%d.%m.%Y}" for one in span_ends(span))
    return first if first == last else f"{first}-{last}"


def span_ends(span: Span) -> tuple[date, date]:
    return span.first, span.last


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("сегодня", "24"),
        ("завтра", "25"),
        ("послезавтра", "26"),
        ("завтрашний день", "25"),
        ("в среду", "25"),
        ("во вторник", "01.12.2026"),
        ("в этот вторник", "24"),
        ("в следующую пятницу", "04.12.2026"),
        ("в ближайшую пятницу", "27"),
        ("пт", "27"),
        ("на выходных", "28-29"),
        ("на следующих выходных", "05.12.2026-06.12.2026"),
        ("на этой неделе", "24-29"),
        ("на следующей неделе", "30-06.12.2026"),
        ("25 ноября", "25"),
        ("25-го ноября", "25"),
        ("25 числа", "25"),
        ("25-го", "25"),
        ("20 ноября", "20.11.2027"),
        ("31 ноября", ""),
        ("25.11", "25"),
        ("25.11.2026", "25"),
        ("1/12", "01.12.2026"),
        ("в 10.30", ""),
        ("в 9.05", ""),
        ("2026-11-27", "27"),
        ("с 25 по 27 ноября", "25-27"),
        ("в четверг или в пятницу", "26-27"),
        ("через неделю", "01.12.2026"),
        ("через 3 дня", "27"),
        ("через два дня", "26"),
        ("ближайшее время", "24-30"),
        ("в любой день", "24-30"),
        ("как можно скорее", "24-30"),
        ("tomorrow", "25"),
        ("the day after tomorrow", "26"),
        ("on friday", "27"),
        ("next friday", "04.12.2026"),
        ("this weekend", "28-29"),
        ("nov 25", "25"),
        ("the 25th of november", "25"),
        ("november 25th", "25"),
        ("in two days", "26"),
        ("asap", "24-30"),
        ("просто хочу стрижку", ""),
    ],
)
def test_days_are_read(text: str, days: str) -> None:
    assert written(find_days(text, TUESDAY).wanted) == days


@pytest.mark.parametrize("weekend_day", [date(2026, 11, 28), date(2026, 11, 29)])
def test_a_weekend_that_has_begun_is_this_one(weekend_day: date) -> None:
    assert written(find_days("на выходных", weekend_day).wanted) in ("28-29", "29")


def test_the_day_something_moves_from_is_told_from_the_day_it_moves_to() -> None:
    days = find_days("перенесите с пятницы на субботу", TUESDAY)

    assert (written(days.source), written(days.wanted)) == ("27", "28")


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("в 15", "15:00"),
        ("15", "15:00"),
        ("15:30", "15:30"),
        ("в 15.30", "15:30"),
        ("на 14-00", "14:00"),
        ("к 15", "15:00"),
        ("на 12", "12:00"),
        ("в 15 часов 30 минут", "15:30"),
        ("в три", "15:00 03:00"),
        ("давайте в три", "15:00 03:00"),
        ("в 3 часа дня", "15:00"),
        ("в час дня", "13:00"),
        ("в 9 утра", "09:00"),
        ("в 7 вечера", "19:00"),
        ("в 8", "08:00 20:00"),
        ("вечером в 8", "20:00 08:00"),
        ("в половине третьего", "14:30 02:30"),
        ("полтретьего", "14:30 02:30"),
        ("в полдень", "12:00"),
        ("at 3", "15:00 03:00"),
        ("at 3 pm", "15:00"),
        ("at 10 a.m.", "10:00"),
        ("at noon", "12:00"),
        ("half past two", "14:30 02:30"),
        ("после обеда", "12:00-18:00"),
        ("днем", "12:00-18:00"),
        ("утром", "06:00-12:00"),
        ("вечером", "17:00-22:00"),
        ("после 18", "18:00-23:59"),
        ("после шести", "18:00-23:59"),
        ("до 12", "00:00-12:00"),
        ("не раньше 14", "14:00-23:59"),
        ("не позже 18:00", "00:00-18:00"),
        ("с 14 до 17", "14:00-17:00"),
        ("с двух до пяти", "14:00-17:00"),
        ("около 15", "14:00-16:00"),
        ("in the afternoon", "12:00-18:00"),
        ("after 6 pm", "18:00-23:59"),
        ("before noon", "00:00-12:00"),
        ("between 2 and 5", "14:00-17:00"),
        ("опаздываю на 15 минут", ""),
        ("на двух человек", ""),
        ("до 2000 руб", ""),
        ("мне 30 лет", ""),
        ("стрижка", ""),
    ],
)
def test_times_are_read(text: str, times: str) -> None:
    found = find_times(text)

    window = f"{found.window[0]:%H:%M}-{found.window[1]:%H:%M}" if found.window else ""
    assert " ".join(f"{one:%H:%M}" for one in found.at) + window == times


SALON = ("Стрижка женская", "Стрижка мужская", "Окрашивание", "Маникюр с покрытием", "Педикюр")
BARBER = ("Мужская стрижка", "Стрижка бороды", "Детская стрижка", "Королевское бритьё")
CLINIC = ("Приём терапевта", "Приём кардиолога", "УЗИ сердца", "Профессиональная чистка зубов")


@pytest.mark.parametrize(
    ("names", "text", "meant"),
    [
        (SALON, "хочу постричься", {0, 1}),
        (SALON, "женскую стрижку", {0}),
        (SALON, "сколько стоит покраска", {2}),
        (SALON, "покрасить волосы", {2}),
        (SALON, "на маникюр", {3}),
        (SALON, "women's haircut", {0}),
        (SALON, "a men's haircut please", {1}),
        (SALON, "my nails", {3}),
        (SALON, "татуировку", set()),
        (SALON, "здравствуйте, можно записаться на завтра?", set()),
        (BARBER, "подровнять бороду", {1}),
        (BARBER, "постричь ребёнка", {2}),
        (BARBER, "бритье", {3}),
        (CLINIC, "мне к кардиологу", {1}),
        (CLINIC, "приём у терапевта", {0}),
        (CLINIC, "УЗИ", {2}),
        (CLINIC, "почистить зубы", {3}),
        (CLINIC, "I need a cardiologist", {1}),
    ],
)
def test_services_of_any_catalogue_are_recognised(names: tuple[str, ...], text: str, meant: set[int]) -> None:
    assert set(best_matches(features(text), names)) == meant


@pytest.mark.parametrize(
    ("text", "person", "named"),
    [
        ("к Анне Смирновой", "Анна Смирнова", True),
        ("к анне", "Анна Смирнова", True),
        ("with Anna", "Анна Смирнова", True),
        ("к Смирновой", "Анна Смирнова", True),
        ("к Ольге", "Анна Смирнова", False),
        ("к Илье", "Илья Петров", True),
        ("к Павлу", "Павел Орлов", True),
        ("к Петру", "Пётр Ильин", True),
        ("сдать анализы", "Анна Смирнова", False),
    ],
)
def test_people_are_recognised_in_any_case_and_alphabet(text: str, person: str, named: bool) -> None:
    assert names_person(text, person) is named


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("позовите человека", Intent.PERSON),
        ("соедините с администратором", Intent.PERSON),
        ("I want to speak to a human", Intent.PERSON),
        ("ты робот?", Intent.ROBOT),
        ("вы живой человек?", Intent.ROBOT),
        ("are you a bot?", Intent.ROBOT),
        ("что будет, если я опоздаю?", Intent.POLICY),
        ("я опаздываю на 15 минут", Intent.LATE),
        ("I'm running late", Intent.LATE),
        ("отмените запись", Intent.CANCEL),
        ("не смогу прийти завтра", Intent.CANCEL),
        ("перенесите мою запись на пятницу на 12", Intent.MOVE),
        ("please reschedule my appointment", Intent.MOVE),
        ("мои записи", Intent.MINE),
        ("когда я записана?", Intent.MINE),
        ("передайте мастеру, что приду с ребёнком", Intent.NOTE),
        ("какие товары есть?", Intent.PRODUCTS),
        ("Сколько стоит окрашивание?", Intent.PRICES),
        ("how much is a haircut?", Intent.PRICES),
        ("Во сколько вы работаете?", Intent.HOURS),
        ("what time do you open?", Intent.HOURS),
        ("где вы находитесь?", Intent.ADDRESS),
        ("какой у вас телефон?", Intent.PHONE),
        ("какие у вас услуги?", Intent.SERVICES),
        ("какие мастера делают маникюр?", Intent.STAFF),
        ("Хочу постричься завтра", Intent.BOOK),
        ("can I book a haircut?", Intent.BOOK),
        ("спасибо!", Intent.THANKS),
        ("Здравствуйте", Intent.GREETING),
        ("пока", Intent.BYE),
    ],
)
def test_the_matter_of_a_message_is_recognised(text: str, first: Intent) -> None:
    assert find_intents(text)[0] is first


@pytest.mark.parametrize("text", ["хочу записать двух человек", "женская", "бла бла", "в 15:00"])
def test_a_person_is_not_called_by_chance(text: str) -> None:
    assert Intent.PERSON not in find_intents(text)
    assert Intent.ROBOT not in find_intents(text)


def test_a_yes_and_a_no_are_whole_messages() -> None:
    assert [is_yes(one) for one in ("да", "Да!", "ok", "да, но в 15", "данные")] == [True, True, True, False, False]
    assert [is_no(one) for one in ("нет", "нет, спасибо", "no", "нет, лучше в 16")] == [True, True, True, False]
    assert [says_anyone(one) for one in ("мастер любой", "всё равно", "anyone", "в любой день")] == [True] * 3 + [False]


def test_phones_and_names_are_taken_as_typed() -> None:
    text = "Меня зовут Мария, телефон +7 (916) 123-45-67, запишите сына Петю к Анне"

    assert find_phone(text) == "+79161234567"
    assert find_client_name(text) == "Мария"
    assert find_visitor_name(text) == "Петю"
    assert find_staff_hint(text) == "Анне"
    assert find_phone("завтра в 15:00, 25.11") is None
