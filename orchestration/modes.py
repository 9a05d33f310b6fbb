"""Who answers a client's words first: the agent, or the people, by the mode that the company has chosen."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from db.people_settings import ALWAYS, DRAFT, IF_UNANSWERED, OFF_HOURS
from db.records import AgentSettings, Branch, ChannelType
from orchestration.messages import Message
from orchestration.working_hours import is_open


class Way(Enum):
    ANSWER = "answer"
    DRAFT = "draft"
    """The agent's words go to staff, who send them with one tap, or their own."""
    PEOPLE = "people"
    """People answer; the agent keeps what was said."""
    WAIT = "wait"
    """People have some minutes; then the agent answers."""


def mode_of(agent: AgentSettings, channel: ChannelType) -> str:
    """Return the mode in a channel: its own, else the company's."""
    return agent.people.modes.get(channel.value, agent.mode)


def way_of(
    mode: str,
    branch: Branch | None,
    messages: list[Message],
    *,
    accepted_at: datetime,
    now: datetime,
    answer_after: timedelta,
) -> tuple[Way, datetime | None]:
    """Return how a turn goes, and for WAIT until when. Only for a company whose staff can see the client and answer.

    A pressed button, a command and a shared contact are answered by code, whatever the mode: nothing is made up there.
    Only the agent's own words are drafts.
    """
    words = bool(messages) and all(one.is_free_text or one.attachments for one in messages)
    if mode == ALWAYS or not words:
        return Way.ANSWER, None
    if mode == DRAFT:
        return Way.DRAFT, None
    if mode == OFF_HOURS:
        return (Way.PEOPLE, None) if is_open(branch, now) else (Way.ANSWER, None)
    if mode == IF_UNANSWERED:
        until = accepted_at + answer_after
        return (Way.WAIT, until) if now < until else (Way.ANSWER, None)
    return Way.ANSWER, None
