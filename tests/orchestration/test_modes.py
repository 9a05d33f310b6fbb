"""Which mode counts for a dialogue: the company's, its channel's, its branch's; and which branch it is about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from db.booking_records import IntentKind
from db.people_settings import MODES, PeopleSettings
from db.records import AgentSettings, Branch, BranchId, ChannelType, new_id
from orchestration.conversation import Ask, Conversation, Flow, Offer, Proposal, Wish
from orchestration.modes import branch_of, may_ask_people, mode_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CENTER, EAST, WEST = (
    Branch(id=BranchId(new_id()), key=key, name=key, time_zone="Europe/Moscow") for key in ("center", "east", "west")
)
BRANCHES = (CENTER, EAST, WEST)
TELEGRAM = ChannelType.TELEGRAM


def settings(mode, **people):
    return AgentSettings(mode=mode, people=PeopleSettings(**people))


@pytest.mark.parametrize(
    ("mode", "people", "branch", "counts"),
    [
        ("draft", {}, EAST, "draft"),
        ("draft", {"modes": {"telegram": "always"}}, EAST, "always"),
        ("draft", {"modes": {"whatsapp": "always"}}, EAST, "draft"),
        ("draft", {"branch_modes": {"east": "always"}}, EAST, "always"),
        ("always", {"branch_modes": {"east": "draft"}}, EAST, "draft"),
        ("always", {"branch_modes": {"east": "draft"}}, CENTER, "always"),
        ("always", {"branch_modes": {"east": "draft"}}, None, "always"),
        ("always", {"modes": {"telegram": "draft"}, "branch_modes": {"east": "always"}}, EAST, "draft"),
        ("always", {"modes": {"telegram": "always"}, "branch_modes": {"east": "draft"}}, EAST, "draft"),
        ("always", {"modes": {"telegram": "if_unanswered"}, "branch_modes": {"east": "off_hours"}}, EAST, "off_hours"),
        # Of a version to come: what is not known is not taken for careless.
        ("always", {"modes": {"telegram": "draft"}, "branch_modes": {"east": "newer"}}, EAST, "newer"),
    ],
)
def test_the_most_own_and_of_two_the_more_careful_mode_counts(mode, people, branch, counts):
    assert mode_of(settings(mode, **people), TELEGRAM, branch) == counts


def test_people_are_asked_after_where_any_branch_asks_for_them():
    assert not may_ask_people(settings("always", branch_modes={"east": "always"}), TELEGRAM)
    assert may_ask_people(settings("always", branch_modes={"east": "draft"}), TELEGRAM)
    assert may_ask_people(settings("draft", branch_modes={"east": "always"}), TELEGRAM)


def offer(branch):
    return Offer(id="s_1", branch_id=branch.id, parts=(), shown_at=NOW)


def proposal(branch):
    return Proposal(id=new_id(), kind=IntentKind.CREATE, shown_at=NOW, offer=offer(branch))


@pytest.mark.parametrize(
    ("conversation", "visited", "about"),
    [
        (Conversation(), None, None),
        (Conversation(), WEST, WEST),
        (Conversation(offers=(offer(CENTER), offer(EAST))), WEST, EAST),
        (Conversation(flow=Flow(id="f", asks=Ask.BRANCH), offers=(offer(EAST),)), WEST, EAST),
        (Conversation(flow=Flow(id="f", asks=Ask.SERVICE, branch_id=CENTER.id), offers=(offer(EAST),)), WEST, CENTER),
        (Conversation(proposal=proposal(EAST), flow=Flow(id="f", asks=Ask.SERVICE, branch_id=CENTER.id)), None, EAST),
        (Conversation(wish=Wish(offer=offer(EAST), client_name="Елена")), WEST, EAST),
    ],
)
def test_a_dialogue_is_about_the_branch_that_is_being_chosen_else_of_the_clients_visits(conversation, visited, about):
    assert branch_of(BRANCHES, conversation, visited.id if visited else None) == about


def test_the_only_branch_is_known_and_one_that_is_gone_is_not():
    assert branch_of([CENTER], Conversation(), None) == CENTER
    assert branch_of([CENTER, EAST], Conversation(), WEST.id) is None


def test_every_mode_has_its_place_among_the_careful_ones():
    for mode in MODES:
        assert mode_of(settings("always", modes={"telegram": mode}), TELEGRAM, None) == mode
