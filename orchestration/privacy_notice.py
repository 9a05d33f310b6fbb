"""What a new client of a channel is told, once: who processes their personal data, and how it is deleted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from db.records import AgentSettings, Company
from locales import Translator
from orchestration.messages import Command

if TYPE_CHECKING:
    from orchestration.turns import Turn

_NOTICE_LANGUAGE = "ru"
"""Where the law wants it of every business: it is told unless the company says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`version` names exactly these words."""

    text: str

    @property
    def version(self) -> str:
        return sha256(self.text.encode()).hexdigest()[:12]


def is_told(agent: AgentSettings) -> bool:
    """Say whether the company's clients are told."""
    chosen = agent.privacy.notice
    return agent.language == _NOTICE_LANGUAGE if chosen is None else chosen


def operator_of(company: Company, agent: AgentSettings) -> str:
    """Say who answers for clients' data before the law."""
    return agent.privacy.operator or company.name


def written_notice(company: Company, agent: AgentSettings, texts: Translator) -> Notice | None:
    """Return what is written at first contact; None: nothing."""
    if not is_told(agent):
        return None
    privacy, operator = agent.privacy, operator_of(company, agent)
    if privacy.notice_text:
        link = f" {privacy.policy_url}" if privacy.policy_url and privacy.policy_url not in privacy.notice_text else ""
        return Notice(text=privacy.notice_text + link)
    if privacy.policy_url:
        return Notice(text=texts.text("privacy-notice-with-policy", operator=operator, url=privacy.policy_url))
    return Notice(text=texts.text("privacy-notice", operator=operator))


def spoken_notice(agent: AgentSettings, texts: Translator) -> Notice | None:
    """Return what is said at the start of a caller's first call, in few words; None: nothing."""
    return Notice(text=texts.text("call-privacy-notice")) if is_told(agent) else None


def tell_of_processing(turn: Turn) -> None:
    """Put the notice before the first answer that the client gets; on the telephone the line has said it."""
    if turn.dialogue.notice_at is not None or not turn.replies or turn.erases or turn.call is not None:
        return
    notice = written_notice(turn.scope.company, turn.scope.agent, turn.texts)
    if notice is None:
        return
    first = turn.replies[0]
    parts = [notice.text, first.text]
    if turn.messages[0].command is Command.START:
        # That answer is the greeting.
        parts.reverse()
    turn.replies[0] = first.model_copy(update={"text": "\n\n".join(parts)})
    turn.dialogue = replace(turn.dialogue, notice_at=turn.now, notice_version=notice.version)
    turn.notice = notice
