"""Written text into text that is read aloud: markup away, lists short, every figure as words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from locales.ear.numbers import cardinal, counted, figure, ordinal, whole_of
from locales.ear.tables import Noun, Tables

MOST_ITEMS = 3
TIMES_AT_ONCE = 2
_MANY_TIMES = re.compile(r"\b\d{1,2}:\d{2}(?:,\s*\d{1,2}:\d{2}){3,}")

_LINK = re.compile(r"\[([^\]\n]{0,200})\]\([^)\s]{0,500}\)")
_URL = re.compile(r"(?:https?://|www\.|t\.me/)\S+|\b[\w.+-]+@[\w-]+\.[\w.-]+", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[•*·–—-]\s+|\d{1,2}[.)]\s+)(.+)")
_MARKUP = re.compile(r"[*_`#|<>{}\[\]~^\\=]+")
_FIGURE = r"\d+(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d{1,2})?|\d+(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_CLOCK = r"(?:[01]?\d|2[0-4])[:.][0-5]\d"
_PHONE = re.compile(r"(?<!\d)\+\d[\d\s()\u00a0-]{8,20}\d")
_TIMES = re.compile(rf"(?<![\d.])({_CLOCK.replace('[:.]', ':')})(?:\s*[-–—]\s*({_CLOCK.replace('[:.]', ':')}))?(?!\d)")
_DATE = re.compile(r"(?<![\d.])(\d{1,2})\.(\d{2})(?:\.(\d{4}|\d{2}))?(?![\d.]*\d)")
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_PERCENT = re.compile(rf"({_FIGURE})\s?%")
_PLACE = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_PLAIN = re.compile(_FIGURE)
_PRECEDING = re.compile(r"(\w+)\W*$")


def plain_text(text: str, table: Tables) -> str:
    """Return the text as one paragraph of sentences, without markup, links and signs that nobody says."""
    text = _URL.sub("", _LINK.sub(r"\1", text))
    text = "".join(" " if _is_sign(one) else one for one in text)
    text = _MANY_TIMES.sub(lambda found: _times_aloud(found.group(), table), text)
    lines: list[str] = []
    items: list[str] = []
    for line in [*text.splitlines(), ""]:
        item = _ITEM.fullmatch(line)
        if item:
            items.append(item.group(1).strip().rstrip(".;,"))
            continue
        if items:
            lines.append(_list_aloud(items, table))
            items = []
        if line.strip():
            lines.append(line.strip())
    return " ".join(_sentence(line) for line in lines if re.search(r"\w", line))


def say_figures(text: str, table: Tables) -> str:
    """Return the text with words in place of figures, in the order in which they would be mistaken for one another."""
    text = _PHONE.sub(lambda found: say_number_groups(found.group(), table), text)
    for pattern, words in table.raw["abbreviations"].items():
        text = _abbreviation(pattern).sub(words, text)
    text = _ISO_DATE.sub(lambda f: _day(int(f[3]), int(f[2]), int(f[1]), f.group(), table), text)
    text = _DATE.sub(lambda f: _day(int(f[1]), int(f[2]), _year(f[3]), f.group(), table), text)
    text = _dates(table).sub(lambda f: _named_day(f, table), text)
    text = _TIMES.sub(lambda f: _times(f, table), text)
    text = _amounts(table)[0].sub(lambda f: _amount(f, table, table.currencies), text)
    text = _PLACE.sub(lambda f: ordinal(int(f[1]), table), text)
    text = _PERCENT.sub(lambda f: counted(f[1], table.noun("percent"), table), text)
    text = _amounts(table)[1].sub(lambda f: _amount(f, table, table.units), text)
    text = _PLAIN.sub(lambda f: f" {_counting(f, table)} ", text)
    return _tidy(_MARKUP.sub(" ", text))


def say_number_groups(phone: str, table: Tables) -> str:
    """Say a phone number in the groups that people say it in."""
    digits = "".join(filter(str.isdigit, phone))
    groups = _groups(digits)
    said = ", ".join(_group(one, table) for one in groups)
    return f"{table.one('plus')} {said}" if phone.strip().startswith("+") else said


def _groups(digits: str) -> list[str]:
    if len(digits) == 11:
        return [digits[0], digits[1:4], digits[4:7], digits[7:9], digits[9:]]
    head = [digits[start : start + 3] for start in range(0, max(0, len(digits) - 4), 3)]
    rest = digits[len("".join(head)) :]
    return [*head, *(rest[start : start + 2] for start in range(0, len(rest), 2))]


def _group(digits: str, table: Tables) -> str:
    if table.one("numbers") == "en" or digits.startswith("0"):
        return " ".join(cardinal(int(digit), table) for digit in digits)
    return cardinal(int(digits), table)


def _times_aloud(listed: str, table: Tables) -> str:
    """Say two of many times: nobody keeps more in mind."""
    times = [one.strip() for one in listed.split(",")]
    more = table.one("and_more").format(count=len(times) - TIMES_AT_ONCE)
    return ", ".join([*times[:TIMES_AT_ONCE], more])


def _list_aloud(items: list[str], table: Tables) -> str:
    said = items[:MOST_ITEMS]
    more = len(items) - len(said)
    rest = [table.one("and_more").format(count=more)] if more else []
    return "; ".join([*said, *rest])


def _sentence(line: str) -> str:
    return line if line[-1] in ".!?…:;," else f"{line}."


def _is_sign(character: str) -> bool:
    """Say whether nobody says this: emoji, their joiners, arrows; signs of money and of a number stay."""
    category = unicodedata.category(character)
    return category in ("So", "Sk", "Cf", "Cs", "Co", "Cn") and character not in "№°"


def _day(day: int, month: int, year: int | None, written: str, table: Tables) -> str:
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return written
    name = table.words("months")[month - 1]
    said = (
        f"{ordinal(day, table)} {name}" if table.one("date_order") == "day-month" else f"{name} {ordinal(day, table)}"
    )
    if year is None:
        return said
    return (
        f"{said} {ordinal(year, table) if table.one('numbers') == 'ru' else cardinal(year, table)} {table.one('year')}"
    )


def _year(written: str | None) -> int | None:
    return None if not written else int(written) + (2000 if len(written) == 2 else 0)


def _named_day(found: re.Match[str], table: Tables) -> str:
    day, name = found["day"], found["month"]
    if not 1 <= int(day) <= 31:
        return found.group()
    said = ordinal(int(day), table)
    return f"{said} {name}" if found.group().startswith(day) else f"{name} {said}"


def _times(found: re.Match[str], table: Tables) -> str:
    first, second = found[1], found[2]
    if second:
        low, high = _clock(first, table, genitive=True, bare=True), _clock(second, table, genitive=True)
        # "с 10:00 до 20:00" has its words already; a bare range gets them.
        return table.one("time_range").format(low=low, high=high)
    return _clock(first, table, genitive=_wants_genitive(found, table))


def _clock(written: str, table: Tables, *, genitive: bool, bare: bool = False) -> str:
    hour, minute = (int(part) for part in re.split(r"[:.]", written))
    code = table.one("numbers")
    if code == "en":
        half, hour = ("am" if hour % 24 < 12 else "pm"), (hour % 12 or 12)
        past = "" if not minute else f" {'oh ' if minute < 10 else ''}{cardinal(minute, table)}"
        return f"{cardinal(hour, table)}{past} {half}"
    said = cardinal(hour, table, genitive=genitive)
    if code == "kz":
        return f"{table.noun('hour').one} {said}{' ' + cardinal(minute, table) if minute else ''}"
    if not minute:
        noun = table.noun("hour")
        return said if bare else f"{said} {noun.genitive_after(hour) if genitive else noun.after(hour)}"
    zero = f"{cardinal(0, table)} " if minute < 10 else ""
    return f"{said} {zero}{cardinal(minute, table, genitive=genitive and minute >= 10)}"


def _amount(found: re.Match[str], table: Tables, nouns: tuple[tuple[re.Pattern[str], Noun], ...]) -> str:
    written = (found["after"] or found["before"] or "").strip().rstrip(".")
    noun = next((noun for pattern, noun in nouns if pattern.match(written)), None)
    if noun is None:
        return found.group()
    # A full stop that ended the abbreviation ends the sentence too, where nothing follows it in lower case.
    stop = "." if found.group().endswith(".") and not found.string[found.end() :].lstrip()[:1].islower() else ""
    low, high = found["low"], found["high"]
    if high:
        said = table.one("range").format(
            low=figure(low, table, gender=noun.gender, genitive=True), high=counted(high, noun, table, genitive=True)
        )
        return said + stop
    return counted(low, noun, table, genitive=_wants_genitive(found, table)) + stop


def _counting(found: re.Match[str], table: Tables) -> str:
    """Say a bare figure in the gender of the word after it."""
    following = found.string[found.end() :].lstrip().casefold()
    gender = "m"
    if following.startswith(table.words("feminine")):
        gender = "f"
    elif following.startswith(table.words("neuter")):
        gender = "n"
    return figure(
        found.group(), table, gender=gender, genitive=_wants_genitive(found, table) and whole_of(found[0]) > 0
    )


def _wants_genitive(found: re.Match[str], table: Tables) -> bool:
    before = _PRECEDING.search(found.string[max(0, found.start() - 20) : found.start()])
    return bool(before) and before[1].casefold() in table.words("genitive_after") if before else False


def _tidy(text: str) -> str:
    text = re.sub(r"[()«»\"“”]+", " ", text)
    text = re.sub(r"\s*[/]\s*|\s+[-–—]\s+", ", ", text)
    text = re.sub(r"\s+([.,;:!?…])", r"\1", re.sub(r"\s+", " ", text))
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    return re.sub(r"[,;:]+(?=[.!?])|(?<=[.!?])\s*[.,;:](?=\s|$)", "", text).strip(" ,;")


@cache
def _abbreviation(written: str) -> re.Pattern[str]:
    if not any(character.isalpha() for character in written):
        return re.compile(re.escape(written))
    return re.compile(rf"(?<!\w){re.escape(written)}(?=[\s\d,;)]|$)(?=.*\w)", re.IGNORECASE)


@cache
def _month_pattern(months: tuple[str, ...], order: str) -> re.Pattern[str]:
    names = "|".join(months)
    if order == "day-month":
        return re.compile(rf"(?<![\d.,:])(?P<day>\d{{1,2}})\s(?P<month>{names})\b", re.IGNORECASE)
    return re.compile(rf"\b(?P<month>{names})\s(?P<day>\d{{1,2}})\b(?!:)", re.IGNORECASE)


def _dates(table: Tables) -> re.Pattern[str]:
    return _month_pattern(table.words("months"), table.one("date_order"))


def _amounts(table: Tables) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _amount_pattern(tuple(table.raw["currencies"])), _amount_pattern(tuple(table.raw["units"]))


@cache
def _amount_pattern(written: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(sorted((one for listed in written for one in listed.split("|")), key=len, reverse=True))
    before = r"\$|€" if r"\$" in names else r"(?!)"
    return re.compile(
        rf"(?<![\d.,])(?:(?P<before>{before})\s?)?(?P<low>{_FIGURE})(?:\s*[-–—]\s*(?P<high>{_FIGURE}))?"
        rf"(?:[ \u00a0\u202f]?(?P<after>(?:{names})(?!\w)\.?)|(?(before)|(?!)))",
        re.IGNORECASE,
    )
