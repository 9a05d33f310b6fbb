"""Grouping a burst; what the model is shown of earlier turns; what is remembered between turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from db.booking_records import IntentKind
from db.records import Author, DialogueState, HistoryMessage, new_id
from orchestration.agent import earlier_contents
from orchestration.conversation import OFFER_LIFETIME, Conversation, KeptPrice, Offer, Part, Proposal, Step
from orchestration.messages import Command, Message
from orchestration.ports import CallPart, Content, ResultPart, TextPart
from orchestration.turns import burst_ends_at, first_group

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def words(text):
    return Message(id=text, sent_at=NOW, text=text)


PRESS = Message(id="p", sent_at=NOW, action="yes:1")
START = Message(id="s", sent_at=NOW, text="/start", command=Command.START)
CONTACT = Message(id="c", sent_at=NOW, proved_phone="+79160000001")


@pytest.mark.parametrize(
    ("queue", "taken"),
    [
        ([], 0),
        ([words("a")], 1),
        ([words("a"), words("b"), words("c")], 3),
        ([words("a"), words("b"), PRESS, words("c")], 2),
        ([PRESS, words("a")], 1),
        ([START, words("a")], 1),
        ([CONTACT, CONTACT], 1),
    ],
)
def test_a_burst_of_words_is_one_turn_and_everything_else_is_its_own(queue, taken):
    assert first_group(queue) == tuple(queue[:taken])


def offer(number, shown_at=NOW):
    return Offer(
        id=f"s_{number}",
        branch_id=uuid4(),
        parts=(
            Part(
                service_ids=("1",),
                service_names=("Стрижка",),
                staff_id="2",
                staff_name="Анна",
                starts_at=NOW + timedelta(days=1),
                duration=timedelta(hours=1),
                price=KeptPrice(low=250000, currency="RUB"),
            ),
        ),
        shown_at=shown_at,
    )


@pytest.mark.parametrize(
    ("written_at", "ends_at"),
    [([0], 2), ([0, 1.5], 3.5), ([0, 1.5, 3, 4.5, 6, 7.5], 9.5), ([0, 1.5, 3, 4.5, 6, 7.5, 9], 10)],
)
def test_a_burst_ends_when_the_client_is_quiet_and_never_later_than_five_such_times(written_at, ends_at):
    moments = [NOW + timedelta(seconds=seconds) for seconds in written_at]

    assert burst_ends_at(moments, timedelta(seconds=2)) == NOW + timedelta(seconds=ends_at)


def test_offers_count_for_half_an_hour_and_are_bounded():
    talk = Conversation().with_offers((offer(1),), NOW)

    assert talk.find_offer("s_1", NOW + OFFER_LIFETIME - timedelta(seconds=1)) is not None
    assert talk.find_offer("s_1", NOW + OFFER_LIFETIME) is None
    assert talk.find_offer("s_2", NOW) is None
    many = talk.with_offers(tuple(offer(number) for number in range(100)), NOW)
    assert len(many.offers) == 60
    assert many.find_offer("s_99", NOW) is not None


def test_a_state_comes_back_as_it_was_and_strange_ones_do_no_harm():
    proposal = Proposal(
        id=new_id(), kind=IntentKind.CREATE, shown_at=NOW, offer=offer(1), client_name="Елена", phone="+7"
    )
    talk = Conversation().with_offers((offer(1),), NOW).proposing(proposal)

    state = talk.to_state(7)

    assert (state.state, state.version) == (Step.CONFIRMING, 7)
    assert Conversation.from_state(state) == talk
    assert Conversation.from_state(DialogueState(state="of a newer version", data={"unknown": 1})) == Conversation()


def turn(*messages):
    turn_id = new_id()
    return [
        HistoryMessage(author=author, text=text, at=NOW, turn_id=turn_id, parts=tuple(parts))
        for author, text, parts in messages
    ]


def test_earlier_turns_are_shown_as_the_model_knew_them_beginning_with_the_client():
    call = CallPart(id="1", name="get_services", arguments={}, signature="c2ln")
    contents = [
        Content(role="user", parts=(TextPart(text="Цены?"),)),
        Content(role="model", parts=(call,)),
        Content(role="user", parts=(ResultPart(id="1", name="get_services", response={"services": []}),)),
        Content(role="model", parts=(TextPart(text="Вот", signature="eA=="),)),
    ]
    parts = [content.model_dump(mode="json", exclude_none=True) for content in contents]
    history = [
        *turn((Author.CLIENT, "Привет", []), (Author.AGENT, "Здравствуйте", [])),
        *turn((Author.CLIENT, "Цены?", []), (Author.AGENT, "Вот", parts)),
    ]

    assert earlier_contents(history, turns=1) == tuple(contents)
    assert [content.text for content in earlier_contents(history, turns=9)][:2] == ["Привет", "Здравствуйте"]
    assert earlier_contents(history[1:2], turns=9) == ()


def test_an_offer_of_a_version_that_knew_no_parts_is_read_as_one():
    """Versions run side by side: a dialogue may have been left by the older one."""
    kept = offer(1).model_dump(mode="json")
    [part] = kept.pop("parts")

    assert Offer.model_validate(kept | part) == offer(1).model_copy(update={"branch_id": UUID(kept["branch_id"])})
