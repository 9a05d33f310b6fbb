"""Whether something may be written to a client who did not just write: consent, the week, the night. Pure.

Waiting-list and win-back messages need a yes of their own, given in the channel that they are written in; a word of
thanks after a visit needs none. Whoever wants nothing any more gets nothing, whatever they agreed to before. What a
client did not ask for goes at most once a week, whatever it is about. Where staff look at each of the agent's words
first, only what the client asked for goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from db.outreach_records import Consent, ConsentKind, MessageKind
from db.quiet_hours import QuietHours
from db.records import Company
from orchestration.night import morning_after

WEEK = timedelta(days=7)
IN_CONVERSATION = timedelta(minutes=10)
"""Who wrote so lately is being answered, and an open question lives as long: nothing comes before its answer."""
LOOK_AGAIN_IN = timedelta(hours=1)
"""While a person answers the client, nobody talks over them."""
_NEEDS = {MessageKind.OFFER: ConsentKind.WAITING_LIST, MessageKind.WIN_BACK: ConsentKind.WIN_BACK}


class Why(StrEnum):
    """Why nothing is written."""

    UNREACHABLE = "unreachable"
    TOO_LATE = "too_late"
    """The messenger takes no free words to this client any more, and no template is set."""
    STOPPED = "stopped"
    NO_CONSENT = "no_consent"
    PERSON = "person_in_charge"
    TALKING = "in_conversation"
    NIGHT = "night"
    WEEK = "weekly_limit"
    DRAFTS = "draft_mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A client as the rules look at them. `channel`: the type of that in which they would be written to."""

    channel: str
    zone: ZoneInfo
    consents: Sequence[Consent] = ()
    last_counted: datetime | None = None
    reachable: bool = True
    takes_words: bool = True
    with_person: bool = False
    last_heard: datetime | None = None
    drafts: bool = False
    """Staff look at each of the agent's words to this client first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`why` None: it may go now. `until`: when it may be looked at again; None: never, as things stand."""

    why: Why | None = None
    until: datetime | None = None


GO = Verdict()


def may_reach_out(company: Company) -> bool:
    """Say whether the agent writes of its own accord at all: not while staff have paused it."""
    return not company.disabled and company.paused_at is None


def has_stopped(consents: Sequence[Consent]) -> bool:
    """Say whether the client has said that they want nothing unasked."""
    return any(one.kind is ConsentKind.ALL for one in consents)


def agrees(consents: Sequence[Consent], kind: ConsentKind, channel: str) -> bool:
    """Say whether the client's yes to this kind, in this channel, stands: not withdrawn, and no no came after it."""
    given = [one.given_at for one in consents if _stands(one, kind) and one.channel == channel]
    refused = [one.refused_at for one in consents if one.kind in (kind, ConsentKind.ALL) and one.refused_at]
    latest = max((one for one in given if one), default=None)
    return latest is not None and all(no < latest for no in refused)


def has_answered(consents: Sequence[Consent], kind: ConsentKind) -> bool:
    """Say whether the client was asked for this before, and answered: they are not asked again."""
    return any(one.kind is kind for one in consents)


def may_write(kind: MessageKind, recipient: Recipient, *, requested: bool, quiet: QuietHours, now: datetime) -> Verdict:
    """Decide about one message. `requested`: the client has asked for this very one, so the week does not count."""
    if not recipient.reachable:
        return Verdict(why=Why.UNREACHABLE)
    if kind in _NEEDS:
        if not agrees(recipient.consents, _NEEDS[kind], recipient.channel):
            return Verdict(why=Why.STOPPED if has_stopped(recipient.consents) else Why.NO_CONSENT)
    elif has_stopped(recipient.consents):
        return Verdict(why=Why.STOPPED)
    if recipient.drafts and kind is not MessageKind.OFFER:
        return Verdict(why=Why.DRAFTS)
    if not recipient.takes_words:
        return Verdict(why=Why.TOO_LATE)
    if recipient.with_person:
        return Verdict(why=Why.PERSON, until=now + LOOK_AGAIN_IN)
    heard = recipient.last_heard
    if heard is not None and now < heard + IN_CONVERSATION:
        return Verdict(why=Why.TALKING, until=heard + IN_CONVERSATION)
    last = recipient.last_counted
    if not requested and last is not None and now < last + WEEK:
        return Verdict(why=Why.WEEK, until=last + WEEK)
    morning = morning_after(now, quiet, recipient.zone)
    return GO if morning <= now else Verdict(why=Why.NIGHT, until=morning)


def _stands(consent: Consent, kind: ConsentKind) -> bool:
    return consent.kind is kind and consent.given_at is not None and consent.withdrawn_at is None
