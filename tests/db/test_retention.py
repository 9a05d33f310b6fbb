"""What is kept only for a time goes in bounded batches; what is younger, waits or is another company's stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.housekeeping import SweepJob
from db.booking_models import appointments
from db.call_models import calls
from db.dialogues import Dialogues
from db.figures_models import daily_figures
from db.memory import Memory
from db.models import accepted_updates, clients, handovers, messages, sessions, tool_calls, turns
from db.outbox_models import replies
from db.privacy import PrivacySettings, Retention
from db.privacy_models import erasures
from db.records import (
    AgentSettings,
    Author,
    DeliveryStatus,
    DialogueState,
    HistoryMessage,
    WorkKind,
    dialogue_id_of,
    new_id,
)
from db.remembered import ClientMemory
from db.retention import BATCH, RetentionSweeps
from db.slot_claims import SlotClaims
from db.stats import read_days
from db.work import ring

KEEP = Retention(texts=30, media=3, summaries=20, clients=3650)
DATED = {
    messages: "at",
    tool_calls: "at",
    turns: "at",
    handovers: "created_at",
    replies: "created_at",
    calls: "started_at",
    accepted_updates: "accepted_at",
}


async def put(core, channel, *, at, key="5:5:", dead=False, status=DeliveryStatus.SENT):
    """Keep one row of each kind, all of this moment."""
    dialogue_id, turn_id = dialogue_id_of(channel.id, key), new_id()
    mine = {"company_id": channel.company_id, "dialogue_id": dialogue_id}
    async with core.database.company(channel.company_id) as tx:
        await Dialogues().open_dialogue(tx, channel_id=channel.id, dialogue_id=dialogue_id, key=key, now=at)
        said = HistoryMessage(author=Author.CLIENT, text="words", at=at, turn_id=turn_id)
        await Dialogues().add_messages(tx, dialogue_id, [said])
        rows = {
            tool_calls: {"turn_id": turn_id, "name": "n", "arguments": {}, "outcome": "ok", "took_ms": 1, "at": at},
            turns: {
                "channel_id": channel.id,
                "at": at,
                "outcome": "answered",
                **dict.fromkeys(("calls", "prompt_tokens", "output_tokens", "cached_tokens"), 0),
            },
            handovers: {"reason": "asked_for", "summary": "words", "created_at": at},
            replies: {
                "channel_id": channel.id,
                "dialogue_key": key,
                "payload": {"text": "words"},
                "status": status.value,
                "created_at": at,
            },
            accepted_updates: {
                "channel_id": channel.id,
                "dialogue_key": key,
                "update_key": str(new_id()),
                "payload": b"{}",
                "accepted_at": at,
                "dead_at" if dead else "done_at": at,
            },
        }
        for table, values in rows.items():
            await tx.connection.execute(insert(table).values(id=new_id(), **mine, **values))
        call = {"channel_id": channel.id, "key": str(new_id()), "caller": "+79160000001", "started_at": at}
        await tx.connection.execute(insert(calls).values(**mine, **call))


async def left(core, channel, *tables):
    async with core.database.company(channel.company_id) as tx:
        return {
            table.name: await tx.connection.scalar(select(func.count()).select_from(table))
            for table in (tables or DATED)
        }


@pytest.fixture
def sweep(core, clock):
    """Sweep a company once as the worker does, by the days that it has set; return when it is due again."""

    async def run(channel, keep=KEEP, *, batch=BATCH):
        agent = AgentSettings(privacy=PrivacySettings(keep=keep))
        await core.companies.set_agent(channel.company_id, agent)
        core.directory.forget(channel.company_id)
        job = SweepJob(
            core.database, core.directory, core.inbox, SlotClaims(), RetentionSweeps(batch=batch), core.work, clock
        )
        [claim] = [
            one
            for one in await core.work.claim("test", limit=10, ttl=timedelta(seconds=12), kind=WorkKind.SWEEP)
            if one.company_id == channel.company_id
        ]
        await job(claim)
        return await core.work.next_due_in(WorkKind.SWEEP)

    return run


async def test_what_is_older_than_the_company_keeps_it_goes_and_what_is_younger_stays(core, clock, channel, sweep):
    await put(core, channel, at=clock() - timedelta(days=31))
    await put(core, channel, at=clock() - timedelta(days=2))

    assert await sweep(channel) == timedelta(0)
    assert await left(core, channel) == dict.fromkeys((table.name for table in DATED), 1)
    assert await sweep(channel) > timedelta(minutes=30)
    assert await left(core, channel) == dict.fromkeys((table.name for table in DATED), 1)


async def test_figures_of_a_day_are_kept_before_its_rows_go(core, clock, channel, sweep):
    await put(core, channel, at=clock() - timedelta(days=31))

    await sweep(channel)

    async with core.database.company(channel.company_id) as tx:
        kept = await read_days(tx, zone="UTC", since=clock().date() - timedelta(days=31), now=clock())
    assert await left(core, channel, turns, handovers) == {"turns": 0, "handovers": 0}
    assert (await left(core, channel, daily_figures))["daily_figures"] == 31
    first = kept[clock().date() - timedelta(days=31)]
    assert (first.turns, first.handed, first.calls.total()) == (1, 1, 0)


async def test_figures_that_cannot_be_kept_do_not_hold_what_has_to_go(core, clock, channel, sweep, database_url):
    await put(core, channel, at=clock() - timedelta(days=31))
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as owner:
        await owner.execute(text("REVOKE INSERT ON daily_figures FROM ai_admin_app"))
    await engine.dispose()

    await sweep(channel)

    assert await left(core, channel, turns, daily_figures) == {"turns": 0, "daily_figures": 0}


async def test_media_go_before_the_texts_where_the_company_says_so(core, clock, channel, sweep):
    await put(core, channel, at=clock() - timedelta(days=4))

    await sweep(channel)

    assert await left(core, channel, accepted_updates, messages) == {"accepted_updates": 0, "messages": 1}


async def test_what_still_waits_to_be_sent_or_to_be_looked_at_by_people_is_not_swept_with_the_media(
    core, clock, channel, sweep
):
    await put(core, channel, at=clock() - timedelta(days=29), dead=True, status=DeliveryStatus.WAITING)
    await sweep(channel)
    assert await left(core, channel, accepted_updates, replies) == {"accepted_updates": 1, "replies": 1}

    clock.advance(timedelta(days=2))
    await sweep(channel)
    assert await left(core, channel, accepted_updates, replies) == {"accepted_updates": 0, "replies": 1}


async def test_a_sweep_takes_a_batch_and_comes_back_at_once_for_the_rest(core, clock, channel, sweep):
    for _ in range(3):
        await put(core, channel, at=clock() - timedelta(days=40))

    assert await sweep(channel, batch=2) == timedelta(0)
    assert (await left(core, channel, messages))["messages"] == 1
    assert await sweep(channel, batch=2) == timedelta(0)
    assert (await left(core, channel, messages))["messages"] == 0
    assert await sweep(channel, batch=2) > timedelta(minutes=30)


async def test_one_companys_days_are_not_anothers(core, clock, channel, make_channel, sweep):
    other = await make_channel("other")
    for one in (channel, other):
        await put(core, one, at=clock() - timedelta(days=100))

    await sweep(channel)

    assert (await left(core, channel, messages))["messages"] == 0
    assert (await left(core, other, messages))["messages"] == 1


async def test_an_old_note_is_emptied_and_does_not_begin_anew_from_the_first_words(core, clock, channel, sweep):
    await put(core, channel, at=clock())
    dialogue_id, covers = dialogue_id_of(channel.id, "5:5:"), new_id()
    async with core.database.company(channel.company_id) as tx:
        note = ClientMemory(summary="likes short hair", covers_until=covers)
        await Memory().save(tx, dialogue_id, note, now=clock() - timedelta(days=21))

    await sweep(channel)

    async with core.database.company(channel.company_id) as tx:
        assert await Memory().find(tx, dialogue_id) == replace(note, summary="")


async def test_what_a_silent_dialogue_was_in_the_middle_of_is_forgotten(core, clock, channel, sweep):
    await put(core, channel, at=clock())
    state = DialogueState(state="confirming", data={"proposal": {"phone": "+79160000001"}}, version=4)
    async with core.database.company(channel.company_id) as tx:
        await tx.connection.execute(
            sessions.update().values(
                state=state.state,
                state_data=state.data,
                state_version=state.version,
                last_message_at=clock() - timedelta(days=31),
            )
        )

    await sweep(channel)

    async with core.database.company(channel.company_id) as tx:
        row = (await tx.connection.execute(select(sessions))).mappings().one()
    assert (row["state"], row["state_data"], row["state_version"]) == (None, {}, 5)


async def test_records_of_erasures_are_kept_for_three_years_whatever_the_company_says(core, clock, channel, sweep):
    async with core.database.company(channel.company_id) as tx:
        for days in (1000, 1100):
            await tx.connection.execute(
                insert(erasures).values(
                    company_id=channel.company_id,
                    id=new_id(),
                    subject="s",
                    erased_at=clock() - timedelta(days=days),
                    record={},
                )
            )

    await sweep(channel)

    assert (await left(core, channel, erasures))["erasures"] == 1


async def silent_since(core, channel, key, days, clock, **values):
    await put(core, channel, at=clock() - timedelta(days=days), key=key)
    async with core.database.company(channel.company_id) as tx:
        client_id = new_id()
        await tx.connection.execute(
            insert(clients).values(company_id=channel.company_id, id=client_id, phone=f"+7916000000{key[0]}")
        )
        await tx.connection.execute(
            sessions.update()
            .where(sessions.c.key == key)
            .values(last_message_at=clock() - timedelta(days=days), client_id=client_id, client_name="name", **values)
        )


async def test_of_a_client_who_was_silent_for_too_long_nothing_stays_and_the_others_do(core, clock, channel, sweep):
    for key, days in (("1:1:", 40), ("2:2:", 40), ("3:3:", 40), ("4:4:", 5)):
        await silent_since(core, channel, key, days, clock)
    later = clock() + timedelta(days=3)
    async with core.database.company(channel.company_id) as tx:
        # The second has written again just now, the third has an appointment ahead.
        await ring(
            tx,
            dialogue_id=dialogue_id_of(channel.id, "2:2:"),
            channel_id=channel.id,
            kind=WorkKind.TURN,
            due_at=clock(),
        )
        await tx.connection.execute(
            insert(appointments).values(
                company_id=channel.company_id,
                id=new_id(),
                branch_id=new_id(),
                dialogue_id=dialogue_id_of(channel.id, "3:3:"),
                crm_record_id="1",
                external_id="1",
                starts_at=later,
                duration_s=60,
                service_names=[],
                staff_name="",
                client_name="name",
                phone="",
                phone_proved=True,
            )
        )
    keep = Retention(texts=3650, media=3650, summaries=3650, clients=30)

    while await sweep(channel, keep) == timedelta(0):
        pass

    async with core.database.company(channel.company_id) as tx:
        kept = set(await tx.connection.scalars(select(sessions.c.key)))
        phones = set(await tx.connection.scalars(select(clients.c.phone)))
    assert kept == {"2:2:", "3:3:", "4:4:"}
    assert phones == {"+79160000002", "+79160000003", "+79160000004"}
    assert (await left(core, channel, messages, accepted_updates)) == {"messages": 3, "accepted_updates": 3}


async def test_whom_the_business_wrote_to_and_who_never_answered_is_forgotten_by_when_that_began(
    core, clock, channel, sweep
):
    """What people type on the business's own phone begins a dialogue in which its client has not said a word."""
    began = {"old": clock() - timedelta(days=5000), "new": clock() - timedelta(days=1)}
    for key, at in began.items():
        id_ = dialogue_id_of(channel.id, key)
        async with core.database.company(channel.company_id) as tx:
            await Dialogues().open_dialogue(tx, channel_id=channel.id, dialogue_id=id_, key=key, now=at)

    await sweep(channel)

    async with core.database.company(channel.company_id) as tx:
        assert list(await tx.connection.scalars(select(sessions.c.key))) == ["new"]
