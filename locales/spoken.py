"""Which language a client writes in, where its letters alone do not tell."""

from __future__ import annotations

import re

_LETTERS = re.compile(r"[әғқңөұүһі]", re.IGNORECASE)
_WORD = re.compile(r"[а-яёәғқңөұүһі]+", re.IGNORECASE)
# Common Kazakh words as they are typed on a Russian keyboard; none of them is a Russian word.
_TYPED_IN_RUSSIAN = frozenset(
    {
        "салем",
        "салеметсиз",
        "рахмет",
        "иа",
        "жок",
        "жаксы",
        "керек",
        "канша",
        "калай",
        "кашан",
        "ертен",
        "бугин",
        "бурсигуни",
        "тустен",
        "кешке",
        "танертен",
        "жазылу",
        "жазылгым",
        "жазып",
        "жазыныз",
        "келеди",
        "келедим",
        "болады",
        "алам",
        "аламын",
        "шашым",
        "шашымды",
        "киып",
        "кию",
        "бояу",
        "кымбат",
        "багасы",
        "менин",
        "маган",
        "сизге",
        "уакыт",
        "уакытка",
        "сагат",
        "кунге",
        "ушин",
        "емес",
        "шебер",
    }
)


def is_kazakh(text: str) -> bool:
    """Say whether a text is Kazakh: by a word with a letter that only Kazakh has, or by words that only Kazakh has.

    One such word among many others is a name, or a borrowed word: it does not make a Russian sentence Kazakh.
    """
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return False
    told = sum(1 for word in words if _LETTERS.search(word) or word in _TYPED_IN_RUSSIAN)
    return told * 3 >= len(words)
