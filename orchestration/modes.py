"""Who answers a client's words first: the agent, or the people, by the mode that the company has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from db.people_settings import ALWAYS, CAREFUL, DRAFT, IF_UNANSWERED, OFF_HOURS
from db.records import AgentSettings, Branch, BranchId, ChannelType
from orchestration.conversation import Conversation
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


def mode_of(agent: AgentSettings, channel: ChannelType, branch: Branch | None) -> str:
    """Return the mode of a dialogue: its channel's or its branch's own, else the company's.

    Where both have one, the more careful counts: neither was chosen so that the other lets the agent loose. `branch`
    None: it is not known which, so that only channel and company decide.
    """
    people = agent.people
    own = [people.modes.get(channel.value), people.branch_modes.get(branch.key) if branch is not None else None]
    chosen = [one for one in own if one is not None]
    return max(chosen, key=_care) if chosen else agent.mode


def may_ask_people(agent: AgentSettings, channel: ChannelType) -> bool:
    """Say whether there is a branch, or none, for which people come before the agent in a channel."""
    asked = {mode_of(agent, channel, None), *agent.people.branch_modes.values()}
    return asked != {ALWAYS}


def branch_of(branches: Sequence[Branch], conversation: Conversation, visited: BranchId | None) -> Branch | None:
    """Return the branch that a dialogue is about: the only one; else what the client is choosing at; else where their
    next visit is, or their last one was (`visited`). None: nothing says it yet."""
    if len(branches) == 1:
        return branches[0]
    meant = _talked_of(conversation) or visited
    return next((one for one in branches if one.id == meant), None)


def _talked_of(conversation: Conversation) -> UUID | None:
    proposal, wish, flow = conversation.proposal, conversation.wish, conversation.flow
    if proposal is not None and (about := proposal.offer or proposal.appointment) is not None:
        return about.branch_id
    if wish is not None:
        return wish.offer.branch_id
    if flow is not None and flow.branch_id is not None:
        return flow.branch_id
    return conversation.offers[-1].branch_id if conversation.offers else None


def _care(mode: str) -> int:
    return CAREFUL.index(mode) if mode in CAREFUL else len(CAREFUL)


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
