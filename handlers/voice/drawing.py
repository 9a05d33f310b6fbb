"""A reply as it is spoken: its words, and its choices two at a time."""

from __future__ import annotations

from collections.abc import Sequence

from locales import Translator
from orchestration.menu import BACK, CANCEL, FLOW, LATER, SOONER
from orchestration.messages import Button, Choices, Reply
from orchestration.proposals import NO, YES

_AT_ONCE = 2
_WAYS = frozenset({BACK, CANCEL, LATER, SOONER})
CHOICES = Choices(most=_AT_ONCE + len(_WAYS), drawn=False)
"""Two options, and the ways to others, back and out."""


def drawn(reply: Reply, texts: Translator) -> str:
    """Return the reply in words. A question of yes or no needs no more than itself."""
    options = [choice for choice in reply.choices if not _is_way(choice) and not _answers(choice)]
    ways = [choice for choice in reply.choices if _is_way(choice)]
    parts = [reply.text]
    if options:
        parts.append(_options(options[:_AT_ONCE], texts))
        left = [choice.text for choice in (*options[_AT_ONCE:], *ways)]
        if left:
            parts.append(texts.text("call-or-say", words=", ".join(left[:3])))
    return "\n".join(part for part in parts if part)


def _options(options: Sequence[Button], texts: Translator) -> str:
    names = [f"{one.text}, {one.detail}" if one.detail else one.text for one in options]
    if len(names) == 1:
        return texts.text("call-option-one", first=names[0])
    return texts.text("call-options", first=names[0], second=names[1])


def _is_way(choice: Button) -> bool:
    verb, _, rest = choice.action.partition(":")
    return verb == FLOW and rest.partition(":")[2].partition(":")[0] in _WAYS


def _answers(choice: Button) -> bool:
    return choice.action.partition(":")[0] in (YES, NO)
