"""Which language a client writes in: by their words, as letters alone do not tell.

Kazakhstan writes Kazakh on a Russian keyboard, Kazakh and Russian in one sentence, and names of both in either; Russian
is typed in Latin letters. So what counts is evidence: words that one language has and the others have not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CYRILLIC = re.compile(r"[а-яёәғқңөұүһі]+(?:-[а-яёәғқңөұүһі]+)*", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]+(?:['’][a-z]+)?", re.IGNORECASE)
_KAZAKH_LETTER = re.compile(r"[әғқңөұүһі]", re.IGNORECASE)
_IN_RUSSIAN_LETTERS = str.maketrans("әғқңөұүһіӘҒҚҢӨҰҮҺІ", "агкноуухиАГКНОУУХИ")
_KAZAKH_ENDING = re.compile(r"\w{3,}(?:ыныз|иниз|сыз|сиз|гым)(?:ба|бе|ма|ме|ши|шы)?")


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Common Kazakh words in Russian letters; none of them is a Russian word, nor a name.
_KAZAKH = _list("""
    салем салеметсиз рахмет ракмет рахметтер кайырлы
    иа жок жаксы жарайды макул болады болмайды дурыс келисемин эрине арине керек емес мумкин барма
    мен маган менин сизге сизде сиздерде биз бизге
    канша канча калай кашан кайда кандай кай неше нешеде нешеге неге
    бугин бугинге ертен ертенге ертенги бурсигуни бурсикуни танертен тустен туске кешке кешкисин казир кейин дейин
    дуйсенби сейсенби сарсенби бейсенби жума сенби жексенби кун куни кунге кундери сагат сагатка уакыт уакытка уакытты
    жазылу жазылуга жазылгым жазылайын жазып жазыныз жазыныздаршы жазба жазбам жазбаны жазамын жазылдым
    келеди келедим келемин келейин келсем алам аламын барамын бересиз берсениз истейсиз истейсиздер
    шаш шашым шашымды шашты шаштараз киып киюга кидыргым бояу бояткым тырнак тырнагымды кирпик
    баганыз багасы багалары кымбат арзан тенге тенгеден косымша шебер шеберге кызмет кызметтер
    ушин туралы ауыстыру ауыстырып ауыстырсам жойыныз болдырмау отинем отинемин кешириниз жаным
    орын орындар ба бе ма ме
""")
# Russian words that Kazakh has not borrowed: not yes, no, thanks, names of services or days.
_RUSSIAN = _list("""
    я мы вы он она они мне меня мной нам нас вам вас вами ты тебя мой моя моё мое мои моей моего свой свою ваш ваши
    в на к ко у с со из за от до по для про без через и а но или что чтобы если как где когда кто чей какой какая какие
    какое сколько почему зачем куда откуда ли бы же уже ещё еще только тоже это этот эта эти тот там тут здесь
    хочу хотела хотел хотелось хотим можно можете могу нужно нужна нужен нужны надо есть будет будут было была был
    запишите записать записаться записаться запишусь запись отменить отмените перенести перенесите подскажите скажите
    стоит стоимость цена цены работаете принимаете находитесь свободно свободна свободен свободное
    привет здравствуйте добрый доброе доброго сегодня завтра послезавтра утром днём днем вечером обеда после
    пожалуйста подойдёт подойдет лучше очень другой другое время день меня зовут
""")
# They tell no language.
_ANYONES = _list("ок окей окэй")
# English words; none of them is a Russian or Kazakh word in Latin letters ("do", "on", "my", "a" are).
_ENGLISH = _list("""
    hello hi hey thanks thank please sorry good morning afternoon evening
    name the this that these and or but for with from about at is are was am not don't i'm i'd it's what's
    you your we our they she her his it me
    want would like need can could may will shall have has got get let speak english
    what when where which who how much many why
    book booking appointment haircut cut hair nails manicure pedicure colour color beard massage
    price cost free available open close time today tomorrow day week next
    monday tuesday wednesday thursday friday saturday sunday
    cancel move reschedule change later earlier another yes yeah
""")


def spoken_language(text: str, so_far: str | None) -> str | None:
    """Say what a text is written in: kk, ru, en, or None where it does not tell.

    `so_far` is what the client spoke before. One Russian noun in a Kazakh talk is a service's name or a master's, and one
    English word in another talk is a brand: they change nothing.
    """
    cyrillic, latin = _CYRILLIC.findall(text), [word.lower().replace("’", "'") for word in _LATIN.findall(text)]
    english = sum(word in _ENGLISH for word in latin)
    enough = english > 1 or (english * 2 >= len(latin) and so_far in (None, "en"))
    if english > len(cyrillic) and english * 3 >= len(latin) and enough:
        return "en"
    return _in_cyrillic(cyrillic, so_far)


def in_russian_letters(text: str) -> str:
    """Write Kazakh as it is typed where the keyboard is Russian."""
    return text.translate(_IN_RUSSIAN_LETTERS)


def _in_cyrillic(words: Sequence[str], so_far: str | None) -> str | None:
    shouted = all(word.isupper() for word in words)
    # A name tells nothing: Айгүл is booked in Russian too.
    telling = [word for word in words if shouted or not _may_be_name(word)]
    plain = [in_russian_letters(word.lower()) for word in telling]
    kazakh = sum(
        _KAZAKH_LETTER.search(word) is not None or _sounds_kazakh(typed)
        for word, typed in zip(telling, plain, strict=True)
    )
    russian = sum(word in _RUSSIAN for word in plain)
    if kazakh > russian and kazakh * 3 >= len(plain):
        return "kk"
    if russian == 0 and (so_far == "kk" or not set(plain) - _ANYONES):
        return None
    return "ru"


def _sounds_kazakh(typed: str) -> bool:
    return typed in _KAZAKH or _KAZAKH_ENDING.fullmatch(typed) is not None


def _may_be_name(word: str) -> bool:
    """Say whether a word with Kazakh letters is written as a name and is no word that we know."""
    typed = in_russian_letters(word.lower())
    return word[0].isupper() and _KAZAKH_LETTER.search(word) is not None and not _sounds_kazakh(typed)
