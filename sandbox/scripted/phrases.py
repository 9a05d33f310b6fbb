"""The sentences of the scripted model, in Russian and English (kazakh.py has the others).

Prices, times and names only ever come from outside.
"""

import re
from collections.abc import Iterable
from datetime import date

from sandbox.scripted import kazakh

_PHRASES: dict[str, tuple[str, str]] = {
    # key: (Russian, English)
    "hello": (
        "Здравствуйте! Я цифровой помощник{of_company}. Подскажу услуги и цены, помогу записаться. Чем могу помочь?",
        "Hello! I am the digital assistant{of_company}. I know services and prices and help to book. How can I help?",
    ),
    "of_company": (" ({company})", " of {company}"),
    "robot": (
        "Я цифровой помощник, не человек. Если нужно, позову администратора.",
        "I am a digital assistant, not a human. I can call a person for you if you like.",
    ),
    "thanks": ("Пожалуйста! Если что-то понадобится, пишите.", "You are welcome! Write any time you need something."),
    "bye": ("До свидания, хорошего дня!", "Goodbye, have a nice day!"),
    "unheard": (
        "Не могу разобрать это сообщение. Напишите, пожалуйста, текстом.",
        "I cannot make out this message. Please write it as text.",
    ),
    "unseen": (
        "По картинке не могу понять, что вам нужно. Напишите, пожалуйста, словами.",
        "I cannot tell from the picture what you need. Please say it in words.",
    ),
    "clarify": (
        "Не совсем понимаю вас. Можно записаться, узнать цены или адрес, перенести или отменить запись. Что вам нужно?",
        "I am not sure I understand. You can book, ask prices or the address, move or cancel an appointment. "
        "What would you like?",
    ),
    "handed_over": (
        "Передаю ваш вопрос администратору, с вами свяжутся.",
        "I have passed your question on to a person, they will contact you.",
    ),
    "no_person": (
        "С этим я помочь не смогу, простите.{phone}",
        "I am sorry, I cannot help with this.{phone}",
    ),
    "phone_hint": (" Позвоните нам, пожалуйста: {phone}", " Please call us: {phone}"),
    "unreachable": (
        "Сейчас не получается открыть журнал записи, простите. Передаю администратору, с вами свяжутся.",
        "I am sorry, I cannot reach the schedule now. I have told a person, they will contact you.",
    ),
    "sorry": ("Простите, не получилось. {message}", "I am sorry, that did not work. {message}"),
    "which_service": (
        "Подскажите, какая именно услуга нужна? {options}",
        "Which service exactly would you like? {options}",
    ),
    "which_of": ("Подскажите, какой вариант нужен? {options}", "Which one would you like? {options}"),
    "which_staff": (
        "К кому вас записать: {names}? Или подойдёт любой специалист?",
        "Who would you like to see: {names}? Or is anyone fine?",
    ),
    "no_such_staff": (
        "Такого имени среди наших специалистов нет. Есть: {names}. К кому записать?",
        "There is nobody of that name. We have: {names}. Who would you like to see?",
    ),
    "which_day": ("На какой день вас записать?", "Which day would suit you?"),
    "which_time": ("На какой день и время перенести?", "Which day and time shall I move it to?"),
    "slots": (
        "{service}. Свободно:\n{lines}\nКакое время вам подходит?",
        "{service}. Free times:\n{lines}\nWhich time suits you?",
    ),
    "slots_other_time": (
        "На это время свободного места нет. {service}. Свободно:\n{lines}\nКакое время вам подходит?",
        "That time is not free. {service}. Free times:\n{lines}\nWhich time suits you?",
    ),
    "slots_other_day": (
        "На эти дни свободного времени нет. Ближайшее. {service}:\n{lines}\nПодойдёт что-нибудь из этого?",
        "Nothing is free on those days. The nearest. {service}:\n{lines}\nWould any of these suit you?",
    ),
    "slot_taken": (
        "Это время уже заняли, простите. {service}. Свободно:\n{lines}\nКакое время вам подходит?",
        "I am sorry, that time has just been taken. {service}. Free times:\n{lines}\nWhich time suits you?",
    ),
    "several_days": (
        "Это время свободно в разные дни:\n{lines}\nКакой день вам подходит?",
        "That time is free on several days:\n{lines}\nWhich day suits you?",
    ),
    "no_slots": (
        "На эти дни и на неделю после них свободного времени нет. Назвать другой день или позвать администратора?",
        "Nothing is free on those days nor in the week after. Another day, or shall I call a person?",
    ),
    "confirm": ("Проверьте, пожалуйста, и подтвердите.", "Please check and confirm."),
    "not_booked": (
        "Хорошо, ничего не меняю. Если понадобится другое время, напишите.",
        "All right, nothing is changed. Write if you need another time.",
    ),
    "person_books": (
        "На услугу «{service}» записывает администратор. {handed}",
        "“{service}” is booked by a person. {handed}",
    ),
    "link_books": ("Записаться на услугу «{service}» можно здесь: {link}", "“{service}” can be booked here: {link}"),
    "price_list": ("{lines}\nЗаписать вас?", "{lines}\nShall I book you in?"),
    "services": ("Наши услуги:\n{lines}", "Our services:\n{lines}"),
    "products": ("Наши товары:\n{lines}", "Our products:\n{lines}"),
    "staff": ("Наши специалисты:\n{lines}", "Our staff:\n{lines}"),
    "hours": ("Часы работы: {value}", "Opening hours: {value}"),
    "address": ("Наш адрес: {value}", "Our address: {value}"),
    "phone": ("Наш телефон: {value}", "Our phone: {value}"),
    "mine": ("Ваши записи:\n{lines}", "Your appointments:\n{lines}"),
    "none_mine": ("Записей на вас нет. Записать вас?", "You have no appointments. Shall I book you in?"),
    "which_appointment": ("Какую из записей?\n{lines}", "Which of the appointments?\n{lines}"),
    "staff_told": ("Передано, спасибо, что предупредили.", "I have passed it on, thank you for telling us."),
    "minutes": ("{count} мин", "{count} min"),
    "more": ("и другие", "and others"),
}
_MONTHS_RU = re.findall(r"\w+", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря")
_MONTHS_EN = re.findall(r"\w+", "January February March April May June July August September October November December")
_DAYS_RU = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Phrases:
    """Says a sentence in one language."""

    def __init__(self, language: str) -> None:
        """Speak English for "en", Kazakh for "kk", Russian for all else."""
        self._place = {"en": 1, "kk": 2}.get(language, 0)

    def __call__(self, key: str, **values: object) -> str:
        return _every(key)[self._place].format(**values)

    def day(self, iso: str, weekday: str = "") -> str:
        """Write a day with its weekday; the tool's own weekday is kept in Russian. A text that is no date stays."""
        try:
            day = date.fromisoformat(iso)
        except ValueError:
            return iso
        if self._place == 2:
            return f"{kazakh.DAYS[day.weekday()]}, {day.day} {kazakh.MONTHS[day.month - 1]}"
        if self._place:
            return f"{_DAYS_EN[day.weekday()]}, {day.day} {_MONTHS_EN[day.month - 1]}"
        return f"{weekday or _DAYS_RU[day.weekday()]}, {day.day} {_MONTHS_RU[day.month - 1]}"

    def asked(self, key: str, text: str) -> bool:
        """Tell whether a text holds this sentence, in whatever language and with whatever values."""
        fixed = (max(re.split(r"\{\w+\}", one), key=len).strip() for one in _every(key))
        return any(one in text for one in fixed)


def _every(key: str) -> tuple[str, str, str]:
    return (*_PHRASES[key], kazakh.PHRASES[key])


def language_of(texts: Iterable[str], preferred: str | None) -> str:
    """Choose the language of an answer: by the letters of the first text that has some, else the preferred one."""
    for text in texts:
        if kazakh.is_kazakh(text):
            return "kk"
        cyrillic = sum(1 for char in text.lower() if "а" <= char <= "я")
        latin = sum(1 for char in text.lower() if "a" <= char <= "z")
        if cyrillic + latin >= 3:
            return "ru" if cyrillic >= latin else "en"
    return preferred if preferred in ("en", "kk") else "ru"
