"""Times of day as clients write them, in Russian and English: "в три", "15:30", "после обеда", "after 6 pm"."""

import re
from dataclasses import dataclass
from datetime import time

_HOURS = (
    ("час", "часу", "первого", "one"),
    ("два", "двум", "двух", "второго", "two"),
    ("три", "трем", "трех", "третьего", "three"),
    ("четыре", "четырем", "четырех", "четвертого", "four"),
    ("пять", "пяти", "пятого", "five"),
    ("шесть", "шести", "шестого", "six"),
    ("семь", "семи", "седьмого", "seven"),
    ("восемь", "восьми", "восьмого", "eight"),
    ("девять", "девяти", "девятого", "nine"),
    ("десять", "десяти", "десятого", "ten"),
    ("одиннадцать", "одиннадцати", "одиннадцатого", "eleven"),
    ("двенадцать", "двенадцати", "двенадцатого", "twelve"),
)
_WORDS = {word: hour for hour, words in enumerate(_HOURS, 1) for word in words}
_ANY_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_PREPOSITION = r"в|во|к|ко|на|после|до|с|и|около|at|by|after|before|from|till|until|to|around|past"
_SPOKEN = re.compile(rf"\b(?P<before>{_PREPOSITION})\s+(?P<word>{_ANY_WORD})\b(?!\s*(?:назад|ago))")
_HALF = re.compile(
    rf"\b(?:(?:в\s+)?(?:половин\w+|пол)\s*(?P<next>{_ANY_WORD})|half past (?P<this>{_ANY_WORD}|\d{{1,2}}))\b"
)
# What makes a number something else than an hour: "на 15 минут", "на двух человек".
_NOT_UNIT = (
    r"(?!\d|\s*(?:мин|руб|р\b|лет\b|год|дней|человек|раз\b|процент|%|тыс|недел"
    r"|rub|people|persons?|days?\b|weeks?\b|years?\b))"
)
_HOUR = (
    r"(?P<h{n}>[01]?\d|2[0-4])(?:(?:[:.]|\s?ч(?:ас\w*)?\.?\s)(?P<m{n}>[0-5]\d)(?:\s*мин\w*)?|-(?P<d{n}>00|15|30|45))?"
    + _NOT_UNIT
    + r"(?:\s*(?:час\w*|ч\b|o'?clock))?(?:\s*(?P<p{n}>утра|дня|вечера|ночи|a\.?m\b\.?|p\.?m\b\.?))?"
)
_H1, _H2 = _HOUR.replace("{n}", "1"), _HOUR.replace("{n}", "2")
_BETWEEN = re.compile(rf"\b(?:с|между|from|between)\s+{_H1}\s*(?:до|и|по|to|till|until|and|-|–)\s*{_H2}")
_AROUND = re.compile(rf"\b(?:около|примерно\s+в|где-то\s+в|around|about)\s+{_H1}")
_AFTER = re.compile(rf"\b(?:после|не\s+раньше|(?<!не )позже|after|(?<!no )(?<!not )later than|not before)\s+{_H1}")
_BEFORE = re.compile(rf"\b(?:до|не\s+позже|(?<!не )раньше|(?<!not )before|until|till|not? later than)\s+{_H1}")
_SINCE = re.compile(rf"\b(?:с|from)\s+{_H1}")
_EXACT = re.compile(rf"(?:\b(?:в|во|на|к|at|for|by)|@)\s*{_H1}")
_COLON = re.compile(r"(?<![\d.])(?P<h1>[01]?\d|2[0-3]):(?P<m1>[0-5]\d)(?!\d)(?P<d1>)(?:\s*(?P<p1>a\.?m\b|p\.?m\b))?")
_MARKED = re.compile(
    r"(?<![\d.])(?P<h1>[01]?\d)(?P<m1>)(?P<d1>)\s*(?:час\w*\s*)?(?P<p1>утра|дня|вечера|a\.?m\b|p\.?m\b)"
)
_ALONE = re.compile(rf"^\W*(?:давайте|лучше|тогда|ok|ок|let'?s say)?\W*{_H1}\W*$")
_NOON = re.compile(r"\b(?:в\s+)?(?:полдень|noon|midday)\b")
_BY_NOON = re.compile(r"\b(before|after|until|till|до|после)\s+(?:полудня|полдня|noon|midday)\b")
_DAY_PARTS = (
    (re.compile(r"после обеда|втор\w+ полов\w+ дня|afternoon|after lunch|\bднем\b"), (time(12), time(18))),
    (
        re.compile(r"до обеда|перв\w+ полов\w+ дня|before lunch|\bутр(?:ом|а|о)\b|с утра|\bmornings?\b"),
        (time(6), time(12)),
    ),
    (re.compile(r"\bв обед\w*|обеденн|lunch ?time|at lunch"), (time(12), time(14))),
    (re.compile(r"\bвечер\w*|после работы|\bevenings?\b|\btonight\b|after work"), (time(17), time(22))),
)
_DAY_END = time(23, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What a text says about the time of day.

    at holds the readings of one exact time, the likelier first ("в 8" may be 08:00 or 20:00); window is an interval.
    At most one of the two is set.
    """

    at: tuple[time, ...] = ()
    window: tuple[time, time] | None = None


def find_times(text: str) -> Times:
    """Read the time in a lower-case text from which dates and phone numbers were taken out."""
    text = _HALF.sub(_half, text)
    text = _SPOKEN.sub(lambda match: f"{match['before']} {_WORDS[match['word']]}", text)
    text = _BY_NOON.sub(r"\1 12:00", text)
    text = _NOON.sub("в 12:00", text)
    part = next((span for pattern, span in _DAY_PARTS if pattern.search(text)), None)
    if match := _BETWEEN.search(text):
        return Times(window=(_hours(match, "1")[0], _hours(match, "2")[0]))
    if match := _AROUND.search(text):
        hour = _hours(match, "1")[0]
        return Times(window=(hour.replace(hour=max(0, hour.hour - 1)), hour.replace(hour=min(23, hour.hour + 1))))
    if match := _AFTER.search(text):
        return Times(window=(_hours(match, "1")[0], _DAY_END))
    if match := _BEFORE.search(text):
        return Times(window=(time(0), _hours(match, "1")[0]))
    for pattern in (_EXACT, _COLON, _MARKED, _ALONE):
        if match := pattern.search(text):
            return Times(at=_prefer(_hours(match, "1"), part))
    if match := _SINCE.search(text):
        return Times(window=(_hours(match, "1")[0], _DAY_END))
    return Times(window=part)


def _half(match: re.Match[str]) -> str:
    word = match["next"] or match["this"]
    hour = int(word) if word.isdigit() else _WORDS[word]
    return f"в {hour if match['this'] else (hour - 2) % 12 + 1}:30"


def _hours(match: re.Match[str], n: str) -> tuple[time, ...]:
    """Return the readings of an hour as people say it: without a mark 1 to 7 are afternoon, 8 to 10 may be evening."""
    hour, minute = int(match[f"h{n}"]) % 24, int(match[f"m{n}"] or match[f"d{n}"] or 0)
    mark = (match[f"p{n}"] or "").replace(".", "")
    if mark in ("дня", "вечера", "pm"):
        return (time(hour + 12 if hour < 12 else hour, minute),)
    if mark:
        return (time(0 if hour == 12 else hour, minute),)
    if 1 <= hour <= 7:
        return (time(hour + 12, minute), time(hour, minute))
    if 8 <= hour <= 10:
        return (time(hour, minute), time(hour + 12, minute))
    return (time(hour, minute),)


def _prefer(readings: tuple[time, ...], part: tuple[time, time] | None) -> tuple[time, ...]:
    if part is None:
        return readings
    return tuple(sorted(readings, key=lambda one: not part[0] <= one <= part[1]))
