"""CRM writes recorded before they are made, and the appointments that came of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.appointments import Appointments
from db.booking_records import BookedAppointment, Intent, IntentKind, IntentStatus
from db.dialogues import Dialogues
from db.errors import Conflict
from db.intents import Intents
from db.records import BranchId, dialogue_id_of, new_id


async def open_dialogue(core, channel, key="5:5:"):
    async with core.database.company(channel.company_id) as tx:
        return await Dialogues().open_dialogue(
            tx, channel_id=channel.id, dialogue_id=dialogue_id_of(channel.id, key), key=key, now=core.clock()
        )


def intent(channel, dialogue):
    return Intent(
        id=new_id(),
        company_id=channel.company_id,
        dialogue_id=dialogue.id,
        branch_id=BranchId(new_id()),
        kind=IntentKind.CREATE,
        external_id=str(new_id()),
        action={},
        status=IntentStatus.CONFIRMED,
        created_at=channel and dialogue.last_message_at,
    )


async def test_an_intent_is_recorded_once_and_moves_only_forward(core, channel, clock):
    dialogue, store = await open_dialogue(core, channel), Intents()
    recorded = Intent(**{**_fields(intent(channel, dialogue)), "created_at": clock()})
    async with core.database.company(channel.company_id) as tx:
        await store.create(tx, recorded)
        with pytest.raises(Conflict):
            await store.create(tx, recorded)
        with pytest.raises(Conflict):
            await store.mark_done(tx, recorded.id, crm_record_id="1", at=clock())
        await store.mark_called(tx, recorded.id, at=clock())
        await store.mark_called(tx, recorded.id, at=clock())
        await store.mark_done(tx, recorded.id, crm_record_id="1", at=clock())
        for step in (store.mark_refused, store.mark_unknown):
            with pytest.raises(Conflict):
                await step(tx, recorded.id, "late", at=clock())
        found = await store.find(tx, recorded.id)

    assert (found.status, found.crm_record_id) == (IntentStatus.DONE, "1")


def _fields(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


async def test_a_chat_lists_what_it_made_until_it_is_cancelled(core, channel, clock):
    mine, other = await open_dialogue(core, channel), await open_dialogue(core, channel, "6:6:")
    store, branch_id = Appointments(), BranchId(new_id())
    booked = BookedAppointment(
        id=new_id(),
        company_id=channel.company_id,
        branch_id=branch_id,
        dialogue_id=mine.id,
        crm_record_id="900",
        external_id="e",
        starts_at=clock() + timedelta(days=1),
        duration=timedelta(hours=1),
        service_names=("Стрижка",),
        staff_name="Анна",
        client_name="Елена",
        visitor_name=None,
        phone="+79160000001",
        phone_proved=False,
    )
    async with core.database.company(channel.company_id) as tx:
        await store.save(tx, booked)
        await store.save(tx, booked)
        assert list(await store.list_upcoming(tx, [mine.id], now=clock())) == [booked]
        assert list(await store.list_upcoming(tx, [other.id], now=clock())) == []
        assert list(await store.list_upcoming(tx, [mine.id], now=clock() + timedelta(days=2))) == []
        await store.mark_cancelled(tx, branch_id, "900")
        assert list(await store.list_upcoming(tx, [mine.id], now=clock())) == []
