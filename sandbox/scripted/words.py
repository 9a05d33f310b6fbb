"""Words of clients: which of a catalogue's services and people they name, phones, names.

Works on any catalogue: names are compared by their stems; the concepts only join what stems cannot (a verb and its
noun, Russian and English).
"""

import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[a-zа-я0-9]+")
_ENDINGS = re.compile(
    r"(?:иями|ями|ами|ого|его|ому|ему|ыми|ими|иях|ией|иям|ием|ая|яя|ое|ее|ые|ие|ый|ий|ой|ую|юю|ом|ем|ам|ям|ах|ях|ов|ев"
    r"|ей|ою|ею|ия|ию|ии|ье|а|я|о|е|ы|и|у|ю|ь|й|ing|ed|es|s)$"
)
_CONCEPTS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("haircut", r"стриж|стрич|постри|подстри|haircut|hairdo|trim"),
        ("colour", r"окраш|окрас|покрас|красит|краситься|колорир|colou?r|dye"),
        ("manicure", r"маник|ногт|manicur|nail"),
        ("pedicure", r"педик|pedicur"),
        ("styling", r"уклад|уложи|прическ|styling|blowdry|hairstyl"),
        ("beard", r"бород|beard"),
        ("shave", r"брить|побри|shav"),
        ("massage", r"массаж|massag"),
        ("brows", r"бров|brow|eyebrow"),
        ("lashes", r"ресниц|lash|eyelash"),
        ("makeup", r"макияж|визаж|makeup"),
        ("epilation", r"эпиляц|депиляц|шугаринг|wax|epilat|sugaring"),
        ("consultation", r"консульт|consult"),
        ("cleaning", r"чистк|почисти|гигиен|cleaning|hygien"),
        ("filling", r"пломб|filling|кариес|caries|cavity"),
        ("removal", r"удален|удалить|вырвать|extract|removal"),
        ("whitening", r"отбели|whiten"),
        ("ultrasound", r"узи$|ultrasound"),
        ("therapist", r"терапевт|therapist|physician"),
        ("dentist", r"стоматолог|дантист|зуб|dentist|tooth|teeth|dental"),
        ("cardiologist", r"кардиолог|cardiolog"),
        ("dermatologist", r"дерматолог|dermatolog"),
        ("female", r"женск|женщин|дамск|wom[ae]n|lad(?:y|ies)|female"),
        ("male", r"мужск|мужчин|m[ae]ns?$|gentlem|male$"),
        ("child", r"детск|ребен|дети$|детей|сын|дочк|дочер|child|kid|son$|daughter"),
    )
)
# Words that stand in names of services or in any request and tell nothing apart.
_EMPTY = frozenset(
    _WORD.findall(
        """и а но на в во с со к ко у от до по для из за не я мы вы мне меня нас нам вам вас мой моя мои мою это что
        как хочу хотел хотела бы можно нужно надо есть ли или запишите записать записаться запись записи услуга услуги
        пожалуйста здравствуйте добрый день вечер утро привет сколько стоит стоят цена какой какая какие мастер мастера
        мастеру любой свободно время часов час завтра сегодня послезавтра давайте лучше тогда ок еще также
        the a an to for with and or of in on at by i we you me my is are do does would like want need book please hello
        hi have get appointment tomorrow today how much any"""
    )
)
_PHONE = re.compile(r"(?<!\d)\+?\d(?:[\s()-]*\d){9,14}(?!\d)")
_NAMED = re.compile(r"(?:[Мм]еня зовут|[Мм]о[её] имя|[Mm]y name is)\s+([А-ЯЁA-Z][\w-]+(?:\s+[А-ЯЁA-Z][\w-]+)?)")
_VISITOR = re.compile(
    r"\b(?:[Сс]ына|[Дд]очк?у|[Дд]очь|[Рр]еб[её]нка|[Мм]аму|[Пп]апу|[Жж]ену|[Мм]ужа|[Бб]рата|[Сс]естру|[Пп]одругу|[Дд]руга"
    r"|son|daughter|child|kid|wife|husband|mother|mom|father|dad|friend),?\s+([А-ЯЁA-Z][\w-]+)"
)
_STAFF_HINT = re.compile(r"\b(?:[Кк]о?|[Уу]|[Мм]астер\w*|[Вв]рач\w*|with|to|by)\s+(?P<name>[А-ЯЁA-Z][а-яёa-z]{2,})")
_MAYBE_STAFF = re.compile(r"\b(?:ко?|у|мастер\w*|врач\w*|with|to)\s+(?P<name>[а-яa-z]{3,})")
_NOT_STAFF = re.compile(
    r"вам|нам|нему|ней|меня|вас|нас|мастер|врач|доктор|специалист|обед|вечер|утр|полуд|час|любо|кому|концу|начал|book|the|see"
    r"|come|get|have|make|you|any|tomorrow|today|cancel|move|reschedule|speak|talk|know|cut|trim|change"
)
_LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True))
    | dict(zip("жхцчшщюя", ("zh", "kh", "ts", "ch", "sh", "sch", "yu", "ya"), strict=True))
    | {"ъ": "", "ь": "", "ё": "e"}
)


def plain(text: str) -> str:
    """Lower the case, write ё as е, straighten apostrophes."""
    return text.lower().replace("ё", "е").replace("’", "'")


def words(text: str) -> list[str]:
    return _WORD.findall(plain(text))


def find_phone(text: str) -> str | None:
    """Return a typed phone number with its digits and plus only."""
    match = _PHONE.search(text)
    return re.sub(r"[^\d+]", "", match[0]) if match else None


def without_phone(text: str) -> str:
    return _PHONE.sub(" ", text)


def find_client_name(text: str) -> str | None:
    match = _NAMED.search(text)
    return match[1] if match else None


def find_visitor_name(text: str) -> str | None:
    """Return the name of the person another one is booked for, as it was typed."""
    match = _VISITOR.search(text)
    return match[1] if match else None


def find_staff_hint(text: str) -> str | None:
    """Return a capitalised name after "к", "у", "with": somebody is meant, known or not."""
    match = _STAFF_HINT.search(text)
    return match["name"] if match else None


def may_name_staff(text: str) -> bool:
    """Tell whether somebody may be named, in small letters too."""
    return any(not _NOT_STAFF.match(found["name"]) for found in _MAYBE_STAFF.finditer(plain(text)))


def features(text: str) -> set[str]:
    """Reduce a text to concepts and stems that can tell services apart."""
    found: set[str] = set()
    for word in words(text):
        concepts = [name for name, pattern in _CONCEPTS if pattern.match(word)]
        if concepts:
            found.update(concepts)
        elif word not in _EMPTY and not word.isdigit():
            found.add(_stem(word))
    return found


def count_matches(wanted: Iterable[str], name: str) -> int:
    """Count how many distinct features of a name a text mentions; 0 means it is not meant."""
    return count_alike(wanted, features(name))


def count_alike(wanted: Iterable[str], told: Iterable[str]) -> int:
    """Count how many of the features told are among those wanted, in any form of the word."""
    given = list(wanted)
    return sum(1 for one in told if any(_alike(one, other) for other in given))


def best_matches(wanted: set[str], names: Sequence[str]) -> list[int]:
    """Return the places of the names that fit best: all of them when several fit equally, none when none fits."""
    scores = [count_matches(wanted, name) for name in names]
    best = max(scores, default=0)
    return [index for index, score in enumerate(scores) if score == best] if best else []


def names_person(text: str, person: str) -> bool:
    """Tell whether a text names this person in any case form, in either alphabet."""
    said = words(text)
    parts = [part for part in words(person) if len(part) > 2]
    return any(_same_name(word, part) or _same_name(_latin(word), _latin(part)) for part in parts for word in said)


def _stem(word: str) -> str:
    stem = _ENDINGS.sub("", word) if len(word) > 4 else word
    return stem if len(stem) >= 3 else word


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shortest = min(len(one), len(other))
    needed = max(4, -(-shortest * 4 // 5))
    return shortest >= needed and one[:needed] == other[:needed] and abs(len(one) - len(other)) <= 4


def _latin(word: str) -> str:
    return word.translate(_LATIN)


def _same_name(said: str, name: str) -> bool:
    if abs(len(said) - len(name)) > 3:
        return False
    needed = max(3, len(name) - 2) if len(name) > 3 else len(name) - 1
    return said[:needed] == name[:needed] and len(said) >= needed
