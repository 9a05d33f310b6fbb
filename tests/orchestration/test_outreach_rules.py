"""Whether something may be written to a client who did not just write: a table of cases, allowed and refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.outreach_records import Consent, ConsentKind, MessageKind
from db.quiet_hours import DEFAULT_QUIET
from orchestration.outreach_rules import Recipient, Why, agrees, has_answered, may_write

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Noon in Moscow."""
MOSCOW, VLADIVOSTOK = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Vladivostok")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def said(kind, *, yes=None, no=None, withdrawn=None, channel="telegram"):
    """A consent of so long ago."""
    return Consent(
        kind=kind,
        channel=channel,
        given_at=NOW - yes if yes is not None else None,
        refused_at=NOW - no if no is not None else None,
        withdrawn_at=NOW - withdrawn if withdrawn is not None else None,
    )


WAITS = said(ConsentKind.WAITING_LIST, yes=DAY)
INVITED = said(ConsentKind.WIN_BACK, yes=DAY)
STOP = said(ConsentKind.ALL, no=HOUR)
SOMEBODY = Recipient(channel="telegram", zone=MOSCOW)


@pytest.mark.parametrize(
    ("kind", "changes", "requested", "why"),
    [
        pytest.param(MessageKind.OFFER, {"consents": [WAITS]}, True, None, id="an offer to who asked for it"),
        pytest.param(MessageKind.OFFER, {}, True, Why.NO_CONSENT, id="nobody agreed"),
        pytest.param(MessageKind.OFFER, {"consents": [INVITED]}, True, Why.NO_CONSENT, id="agreed to something else"),
        pytest.param(
            MessageKind.OFFER,
            {"consents": [WAITS], "channel": "whatsapp"},
            True,
            Why.NO_CONSENT,
            id="in another channel",
        ),
        pytest.param(MessageKind.OFFER, {"consents": [WAITS, STOP]}, True, Why.STOPPED, id="stop after the yes"),
        pytest.param(
            MessageKind.OFFER,
            {"consents": [STOP, said(ConsentKind.WAITING_LIST, yes=timedelta(minutes=5))]},
            True,
            None,
            id="a yes after the stop lifts it for this kind",
        ),
        pytest.param(
            MessageKind.WIN_BACK,
            {"consents": [INVITED, STOP, said(ConsentKind.WAITING_LIST, yes=timedelta(minutes=5))]},
            False,
            Why.STOPPED,
            id="and for no other kind",
        ),
        pytest.param(
            MessageKind.OFFER,
            {"consents": [said(ConsentKind.WAITING_LIST, yes=DAY, withdrawn=HOUR)]},
            True,
            Why.NO_CONSENT,
            id="withdrawn",
        ),
        pytest.param(
            MessageKind.WIN_BACK,
            {"consents": [said(ConsentKind.WIN_BACK, no=HOUR)]},
            False,
            Why.NO_CONSENT,
            id="asked, and said no",
        ),
        pytest.param(MessageKind.THANKS, {}, False, None, id="thanks need no consent"),
        pytest.param(MessageKind.THANKS, {"consents": [STOP]}, False, Why.STOPPED, id="thanks end with a stop"),
        pytest.param(
            MessageKind.THANKS,
            {"consents": [STOP, said(ConsentKind.WAITING_LIST, yes=timedelta(minutes=5))]},
            False,
            Why.STOPPED,
            id="a yes to the waiting list brings no thanks back",
        ),
        pytest.param(
            MessageKind.WIN_BACK,
            {"consents": [INVITED], "last_counted": NOW - 6 * DAY},
            False,
            Why.WEEK,
            id="six days after another",
        ),
        pytest.param(
            MessageKind.WIN_BACK,
            {"consents": [INVITED], "last_counted": NOW - 7 * DAY},
            False,
            None,
            id="seven days after another",
        ),
        pytest.param(
            MessageKind.OFFER,
            {"consents": [WAITS], "last_counted": NOW - HOUR},
            True,
            None,
            id="what was asked for does not count",
        ),
        pytest.param(
            MessageKind.OFFER,
            {"consents": [WAITS], "last_counted": NOW - HOUR},
            False,
            Why.WEEK,
            id="a further offer counts",
        ),
        pytest.param(MessageKind.THANKS, {"zone": VLADIVOSTOK}, False, None, id="seven in the evening there"),
        pytest.param(MessageKind.THANKS, {"drafts": True}, False, Why.DRAFTS, id="staff look at each word first"),
        pytest.param(MessageKind.OFFER, {"consents": [WAITS], "drafts": True}, True, None, id="asked for all the same"),
        pytest.param(MessageKind.THANKS, {"reachable": False}, False, Why.UNREACHABLE, id="blocked the bot"),
        pytest.param(MessageKind.THANKS, {"takes_words": False}, False, Why.TOO_LATE, id="outside of the window"),
        pytest.param(MessageKind.THANKS, {"with_person": True}, False, Why.PERSON, id="a person answers"),
        pytest.param(
            MessageKind.THANKS, {"last_heard": NOW - timedelta(minutes=9)}, False, Why.TALKING, id="being spoken with"
        ),
        pytest.param(MessageKind.THANKS, {"last_heard": NOW - timedelta(minutes=10)}, False, None, id="silent again"),
    ],
)
def test_a_message_may_go_or_may_not(kind, changes, requested, why):
    recipient = replace(SOMEBODY, **changes)

    assert may_write(kind, recipient, requested=requested, quiet=DEFAULT_QUIET, now=NOW).why == why


def test_at_night_it_waits_for_the_clients_own_morning():
    night = NOW.replace(hour=20)
    moscow = may_write(MessageKind.THANKS, SOMEBODY, requested=False, quiet=DEFAULT_QUIET, now=night)
    there = replace(SOMEBODY, zone=VLADIVOSTOK)

    assert (moscow.why, moscow.until) == (Why.NIGHT, datetime(2026, 11, 25, 6, 0, tzinfo=UTC))
    assert may_write(MessageKind.THANKS, there, requested=False, quiet=DEFAULT_QUIET, now=night).until == datetime(
        2026, 11, 24, 23, 0, tzinfo=UTC
    )


def test_the_week_says_when_it_is_over():
    recipient = replace(SOMEBODY, consents=[INVITED], last_counted=NOW - DAY)
    verdict = may_write(MessageKind.WIN_BACK, recipient, requested=False, quiet=DEFAULT_QUIET, now=NOW)

    assert verdict.until == NOW + 6 * DAY


def test_a_yes_in_each_channel_holds_in_its_own():
    both = [said(ConsentKind.WAITING_LIST, yes=DAY), said(ConsentKind.WAITING_LIST, yes=HOUR, channel="whatsapp")]

    assert agrees(both, ConsentKind.WAITING_LIST, "telegram")
    assert agrees(both, ConsentKind.WAITING_LIST, "whatsapp")
    assert not agrees(both, ConsentKind.WAITING_LIST, "voice")


def test_who_answered_is_not_asked_again_whatever_they_said():
    assert has_answered([said(ConsentKind.WIN_BACK, no=DAY)], ConsentKind.WIN_BACK)
    assert has_answered([said(ConsentKind.WIN_BACK, yes=DAY, withdrawn=HOUR)], ConsentKind.WIN_BACK)
    assert not has_answered([WAITS, STOP], ConsentKind.WIN_BACK)
