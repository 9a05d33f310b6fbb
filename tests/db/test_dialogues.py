"""What is kept of a dialogue: replies on their way, history, the state and its copy."""

from __future__ import annotations

from datetime import timedelta

from db.dialogue_state import DialogueStates, StateKey, key_of
from db.dialogues import Dialogues
from db.models import messages
from db.outbox import Outbox
from db.records import (
    Author,
    CompanyId,
    DialogueState,
    HistoryMessage,
    WorkKind,
    dialogue_id_of,
    new_id,
)


async def open_dialogue(core, channel, key="5:5:"):
    async with core.database.company(channel.company_id) as tx:
        return await Dialogues().open_dialogue(
            tx, channel_id=channel.id, dialogue_id=dialogue_id_of(channel.id, key), key=key, now=core.clock()
        )


async def test_replies_go_out_in_order_and_ring_their_delivery(core, channel):
    outbox, dialogue = Outbox(core.clock), await open_dialogue(core, channel)
    async with core.database.company(channel.company_id) as tx:
        await outbox.put(tx, dialogue, [], turn_id=None)
        await outbox.put(tx, dialogue, [{"text": "1"}, {"text": "2"}], turn_id=None)
        await outbox.put(tx, dialogue, [{"text": "3"}], turn_id=None)

    [held] = await core.work.claim("one", limit=5, ttl=timedelta(seconds=12), kind=WorkKind.DELIVERY)
    async with core.database.company(channel.company_id) as tx:
        replies = await outbox.list_waiting(tx, dialogue.id, limit=10)
        await outbox.mark_part_sent(tx, replies[0], "77")
        await outbox.mark_sent(tx, replies[0].id)
        await outbox.mark_retry(tx, replies[1].id, "flood")
        await outbox.mark_failed(tx, replies[2].id, "gone")
        left = await outbox.list_waiting(tx, dialogue.id, limit=10)

    assert held.dialogue_id == dialogue.id
    assert [reply.payload["text"] for reply in replies] == ["1", "2", "3"]
    assert [(reply.payload["text"], reply.attempts) for reply in left] == [("2", 1)]


async def test_history_is_kept_in_order_in_the_months_partition(core, channel, clock):
    dialogue = await open_dialogue(core, channel)
    said = [
        HistoryMessage(author=Author.CLIENT, text=str(number), at=clock(), turn_id=new_id(), parts=({"a": 1},))
        for number in range(3)
    ]
    async with core.database.company(channel.company_id) as tx:
        await Dialogues().add_messages(tx, dialogue.id, said)
        recent = await Dialogues().list_recent_messages(tx, [dialogue.id], limit=2)

    assert list(recent) == said[1:]
    assert messages.dialect_options["postgresql"]["partition_by"] == "RANGE (at)"


async def test_a_stale_copy_of_the_state_in_redis_is_ignored_and_a_lost_one_costs_nothing(core, channel):
    dialogue = await open_dialogue(core, channel)
    states, key = DialogueStates(core.redis, core.redis_prefix), key_of(channel, dialogue)

    async def load():
        async with core.database.company(channel.company_id) as tx:
            return await states.load(tx, dialogue.id, key)

    assert await load() == DialogueState()
    async with core.database.company(channel.company_id) as tx:
        first = await states.save(tx, dialogue.id, DialogueState(state="a", data={"n": 1}))
    await states.copy(key, first)
    async with core.database.company(channel.company_id) as tx:
        second = await states.save(tx, dialogue.id, DialogueState(state="b", data={"n": 2}, version=first.version))

    assert await load() == second
    await states.copy(key, second)
    assert await load() == second
    await core.redis.flushdb()
    assert await load() == second


def test_the_key_of_a_state_tells_bots_companies_and_channels_apart():
    base = {"company_id": CompanyId(new_id()), "channel": "telegram", "bot": "1", "dialogue": "5:5:"}
    others = [
        {**base, name: value}
        for name, value in (
            ("company_id", CompanyId(new_id())),
            ("channel", "whatsapp"),
            ("bot", "2"),
            ("dialogue", "5:5:b"),
        )
    ]

    keys = {StateKey(**one).redis_key("p:") for one in (base, *others)}

    assert len(keys) == 5
