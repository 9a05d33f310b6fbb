"""What gives away a claim, a promise or advice, by language: locales/guards/*.toml. All languages are looked for at
once, since clients and models mix them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from locales import guard_phrases
from orchestration.guards.plain import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """Patterns of one matter in one language, and what before or after a match makes it none."""

    found: tuple[re.Pattern[str], ...]
    unless_before: tuple[re.Pattern[str], ...]
    unless_after: tuple[re.Pattern[str], ...]

    def find(self, sentence: Sentence) -> str | None:
        """Return the words of the sentence that match; None where none does, or each is taken back."""
        for pattern in self.found:
            for match in pattern.finditer(sentence.text):
                before, after = sentence.text[: match.start()], sentence.text[match.end() :]
                if any(one.search(_clause_end(before)) for one in self.unless_before):
                    continue
                if any(one.search(after + sentence.end) for one in self.unless_after):
                    continue
                return match.group().strip()
        return None


@cache
def phrases(section: str, key: str) -> tuple[Phrases, ...]:
    """Return the patterns of a key, one group a language."""
    return tuple(
        Phrases(
            found=_compiled(given[section].get(key, ()), given),
            unless_before=_compiled(given[section].get("unless_before", ()), given),
            unless_after=_compiled(given[section].get("unless_after", ()), given),
        )
        for given in guard_phrases().values()
    )


@cache
def words(section: str, key: str) -> tuple[re.Pattern[str], ...]:
    """Return the bare patterns of a key in every language."""
    return tuple(
        pattern for given in guard_phrases().values() for pattern in _compiled(given[section].get(key, ()), given)
    )


def read_all() -> None:
    """Compile every pattern now. It takes a fifth of a second, which the first client after a start would wait for."""
    for given in guard_phrases().values():
        for section, keys in given.items():
            for key in keys:
                phrases(section, key)
                words(section, key)


def _compiled(patterns: object, given: dict[str, dict[str, object]]) -> tuple[re.Pattern[str], ...]:
    listed = [patterns] if isinstance(patterns, str) else list(patterns) if isinstance(patterns, list | tuple) else []
    claims = given["claims"]
    return tuple(
        re.compile(str(one).replace("{day}", str(claims["day"])).replace("{clock}", str(claims["clock"])))
        for one in listed
    )


def _clause_end(before: str) -> str:
    """Return the part of the sentence that a "not" or an "if" before a match still reaches: two clauses at most."""
    return ",".join(before.split(",")[-2:])
