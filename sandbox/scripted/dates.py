"""Days as clients write them, in Russian and English: "послезавтра", "в пятницу", "25.11", "next week"."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = (
    ("январ", "jan(?:uary)?"),
    ("феврал", "feb(?:ruary)?"),
    ("март", "mar(?:ch)?"),
    ("апрел", "apr(?:il)?"),
    ("ма[яйе]", "may"),
    ("июн", "june?"),
    ("июл", "july?"),
    ("август", "aug(?:ust)?"),
    ("сентябр", "sept?(?:ember)?"),
    ("октябр", "oct(?:ober)?"),
    ("ноябр", "nov(?:ember)?"),
    ("декабр", "dec(?:ember)?"),
)
_MONTH = r"(?P<month>(?:" + "|".join(ru for ru, _ in _MONTHS) + r")[а-я]*|" + "|".join(en for _, en in _MONTHS) + ")"
_DAY = r"(?P<day>\d{1,2})(?:-?(?:го|е|ого|st|nd|rd|th))?"
_WEEKDAYS = (
    r"понедельник\w*|пн|monday|mon",
    r"вторник\w*|вт|tuesday|tues?",
    r"сред[уаые]|ср|wednesday|wed",
    r"четверг\w*|чт|thursday|thurs?",
    r"пятниц\w*|пт|friday|fri",
    r"суббот\w*|сб|saturday|sat",
    r"воскресень\w*|вс|sunday|sun",
)
_NUMBERS = {
    "один": 1,
    "два": 2,
    "две": 2,
    "три": 3,
    "четыре": 4,
    "пять": 5,
    "two": 2,
    "three": 3,
    "four": 4,
    "a": 1,
    "one": 1,
}
_FROM = re.compile(r"\b(?:с|со|from)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days from first to last, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What a text says about days; source is the day something moves away from; rest is the text without them."""

    wanted: Span | None
    source: Span | None
    rest: str


def find_days(text: str, today: date) -> Days:
    """Read the days of a lower-case text; several wanted ones become the span that covers them."""
    found: list[tuple[bool, Span]] = []
    for pattern, read in _PATTERNS:
        for match in list(pattern.finditer(text)):
            span = read(match, today)
            if span is None or (pattern is _NUMERIC and _is_clock(text, match)):
                continue
            found.append((_FROM.search(text[: match.start()]) is not None, span))
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    wanted = [span for is_source, span in found if not is_source]
    source = [span for is_source, span in found if is_source]
    return Days(wanted=_cover(wanted), source=_cover(source), rest=text)


def _cover(spans: list[Span]) -> Span | None:
    if not spans:
        return None
    return Span(first=min(one.first for one in spans), last=max(one.last for one in spans))


def _is_clock(text: str, match: re.Match[str]) -> bool:
    """Tell "в 9.30" from "25.11": after "в" a possible hour with round minutes and no year is a time."""
    if match["year"] or not re.search(r"\b(?:в|во|at)\s*$", text[: match.start()]):
        return False
    return 7 <= int(match["day"]) <= 22 and int(match["month"]) % 5 == 0


def _one(day: date | None) -> Span | None:
    return None if day is None else Span(first=day, last=day)


def _calendar_day(today: date, month: int, day: int, year: str | None = None) -> date | None:
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year >= today else date(today.year + 1, month, day)
    except ValueError:
        return None


def _month_number(name: str) -> int:
    return next(index for index, pair in enumerate(_MONTHS, 1) if any(re.match(one, name) for one in pair))


def _iso(match: re.Match[str], _today: date) -> Span | None:
    try:
        return _one(date.fromisoformat(match[0]))
    except ValueError:
        return None


def _numeric(match: re.Match[str], today: date) -> Span | None:
    return _one(_calendar_day(today, int(match["month"]), int(match["day"]), match["year"]))


def _named(match: re.Match[str], today: date) -> Span | None:
    return _one(_calendar_day(today, _month_number(match["month"]), int(match["day"])))


def _range(match: re.Match[str], today: date) -> Span | None:
    last = _calendar_day(today, _month_number(match["month"]), int(match["day"]))
    if last is None or not 1 <= int(match["start"]) <= last.day:
        return None
    return Span(first=last.replace(day=int(match["start"])), last=last)


def _of_month(match: re.Match[str], today: date) -> Span | None:
    wanted = int(match["day"] or match["day2"])
    days = (today + timedelta(days=ahead) for ahead in range(62))
    return _one(next((day for day in days if day.day == wanted), None))


def _ahead(days: int) -> Callable[[re.Match[str], date], Span | None]:
    return lambda _match, today: _one(today + timedelta(days=days))


def _in_days(match: re.Match[str], today: date) -> Span | None:
    word = match["count"] or "1"
    count = int(word) if word.isdigit() else _NUMBERS[word]
    return _one(today + timedelta(days=count * (7 if match["unit"].startswith(("недел", "week")) else 1)))


def _weekday(match: re.Match[str], today: date) -> Span | None:
    wanted = next(index for index, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["weekday"]))
    which = match["which"] or ""
    if which.startswith(("следующ", "next")):
        return _one(today + timedelta(days=7 - today.weekday() + wanted))
    ahead = (wanted - today.weekday()) % 7
    return _one(today + timedelta(days=ahead or (0 if which.startswith(("эт", "this")) else 7)))


def _weekend(match: re.Match[str], today: date) -> Span | None:
    if today.weekday() == 6:
        saturday = today if not match["next"] else today + timedelta(days=6)
    else:
        saturday = today + timedelta(days=5 - today.weekday() + (7 if match["next"] else 0))
    last = saturday if saturday.weekday() == 6 else saturday + timedelta(days=1)
    return Span(first=saturday, last=last)


def _week(match: re.Match[str], today: date) -> Span | None:
    sunday = today + timedelta(days=6 - today.weekday())
    if match["which"].startswith(("эт", "this")):
        return Span(first=today, last=sunday)
    return Span(first=sunday + timedelta(days=1), last=sunday + timedelta(days=7))


def _soon(_match: re.Match[str], today: date) -> Span | None:
    return Span(first=today, last=today + timedelta(days=6))


_NUMERIC = re.compile(r"(?<![\d:.])(?P<day>\d{1,2})[./](?P<month>\d{1,2})(?:[./](?P<year>\d{4}|\d{2}))?(?![\d:.]\d|\d)")
_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Span | None]], ...] = (
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), _iso),
    (_NUMERIC, _numeric),
    (re.compile(rf"\b(?:с|со|from)\s+(?P<start>\d{{1,2}})(?:-?го)?\s+(?:по|до|to|till)\s+{_DAY}\s+{_MONTH}\b"), _range),
    (re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\b"), _named),
    (re.compile(rf"\b(?P<month>{'|'.join(en for _, en in _MONTHS)})\s+{_DAY}\b"), _named),
    (re.compile(r"\b(?P<day>\d{1,2})(?:-?го|-?е)?\s+числа\b|\b(?P<day2>\d{1,2})-?го\b"), _of_month),
    (re.compile(r"\bпослезавтра\b|\b(?:the )?day after tomorrow\b"), _ahead(2)),
    (re.compile(r"\bзавтра\w*\b|\btomorrow\b"), _ahead(1)),
    (re.compile(r"\bсегодня\w*\b|\btoday\b|\btonight\b"), _ahead(0)),
    (
        re.compile(
            rf"\b(?:через|in)\s+(?P<count>\d{{1,2}}|{'|'.join(_NUMBERS)})?\s*"
            r"(?P<unit>день|дня|дней|неделю|недели|days?|weeks?)\b"
        ),
        _in_days,
    ),
    (
        re.compile(
            r"\b(?:(?P<which>следующ\w+|ближайш\w+|эт[уаио]\w*|next|this)\s+)?(?P<weekday>"
            + "|".join(_WEEKDAYS)
            + r")\b"
        ),
        _weekday,
    ),
    (re.compile(r"\b(?P<next>следующ\w+\s+|next\s+)?(?:выходн\w+|weekend)\b"), _weekend),
    (re.compile(r"\b(?P<which>следующ\w+|эт\w+|next|this)\s+(?:недел\w+|week)\b"), _week),
    (
        re.compile(
            r"\b(?:сам\w+ )?ближайш\w+(?:\s+(?:время|дни|день|дат\w+|окно))?|\bкак можно (?:скорее|раньше)"
            r"|\bпоскорее\b|\bпораньше\b"
            r"|\bлюб\w+ (?:день|дат\w+|дн\w+)|\bв любое время\b|\bкогда угодно\b"
            r"|\basap\b|\bas soon as possible\b|\bearliest\b|\bsoonest\b|\bany (?:day|date|time)\b|\bthis coming week\b"
        ),
        _soon,
    ),
)
