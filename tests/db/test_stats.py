"""A company's day in figures: what is counted, by whose clock, and that nothing of others or of a client is in it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update

from db.booking_models import intents
from db.call_models import calls
from db.dialogues import Dialogues
from db.drafts import Draft, Drafts, DraftStatus
from db.figures import Figures, by_day, together
from db.figures_models import daily_figures
from db.models import handovers, tool_calls, turns
from db.outbox_models import replies
from db.records import ChannelType, Usage, dialogue_id_of, new_id
from db.spending import Spending
from db.stats import SETTLED_AFTER, keep_finished_days, read_days

MOSCOW = "Europe/Moscow"
TODAY = date(2026, 11, 24)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def house(core, channel, clock):
    return House(core, channel, clock)


class House:
    """Puts rows as turns leave them, and reads the figures."""

    def __init__(self, core, channel, clock):
        self.core, self.channel, self.clock = core, channel, clock

    async def turn(self, *, at=None, key="5:5:", messages=1, waited=None, channel=None, tools=(), handover=None):
        """One turn; `waited`: seconds from the last message to the reply; None: no reply went out."""
        channel, at, turn_id = channel or self.channel, at or self.clock(), new_id()
        dialogue_id = dialogue_id_of(channel.id, key)
        mine = {"company_id": channel.company_id, "dialogue_id": dialogue_id}
        async with self.core.database.company(channel.company_id) as tx:
            await Dialogues().add_turn(
                tx,
                turn_id=turn_id,
                dialogue_id=dialogue_id,
                channel_id=channel.id,
                at=at,
                usage=Usage(),
                outcome="answered",
                messages=messages,
                accepted_at=at - timedelta(seconds=1),
            )
            if waited is not None:
                await tx.connection.execute(
                    insert(replies).values(
                        **mine,
                        id=new_id(),
                        turn_id=turn_id,
                        channel_id=channel.id,
                        dialogue_key=key,
                        payload={"text": "words"},
                        status="sent",
                        sent_at=at + timedelta(seconds=waited - 1),
                    )
                )
            for name, outcome in tools:
                await tx.connection.execute(
                    insert(tool_calls).values(
                        **mine, id=new_id(), turn_id=turn_id, name=name, arguments={}, outcome=outcome, took_ms=1, at=at
                    )
                )
            if handover is not None:
                await tx.connection.execute(
                    insert(handovers).values(**mine, id=new_id(), reason=handover, summary="words", created_at=at)
                )
        return turn_id

    async def write(self, kind, status="done", *, external_id=None, called=True, error=None, at=None):
        at = at or self.clock()
        async with self.core.database.company(self.channel.company_id) as tx:
            await tx.connection.execute(
                insert(intents).values(
                    company_id=self.channel.company_id,
                    id=new_id(),
                    dialogue_id=dialogue_id_of(self.channel.id, "5:5:"),
                    branch_id=new_id(),
                    kind=kind,
                    external_id=external_id or f"aiadm-{uuid4().hex}",
                    action={},
                    status=status,
                    created_at=at,
                    called_at=at if called else None,
                    finished_at=at,
                    error=error,
                )
            )

    async def call(self, outcome, seconds, *, at=None):
        at = at or self.clock()
        async with self.core.database.company(self.channel.company_id) as tx:
            await tx.connection.execute(
                insert(calls).values(
                    company_id=self.channel.company_id,
                    channel_id=self.channel.id,
                    key=str(new_id()),
                    dialogue_id=new_id(),
                    started_at=at,
                    ended_at=at + timedelta(seconds=seconds),
                    outcome=outcome,
                )
            )

    async def draft(self, status, *, at=None, key="5:5:"):
        """Something that the agent wrote for staff to send; status None: it still waits."""
        at, id_ = at or self.clock(), dialogue_id_of(self.channel.id, key)
        draft = Draft(id=new_id(), dialogue_id=id_, turn_id=new_id(), replies=[{"text": "words"}], said={})
        async with self.core.database.company(self.channel.company_id) as tx:
            await Dialogues().open_dialogue(tx, channel_id=self.channel.id, dialogue_id=id_, key=key, now=at)
            await Drafts().put(tx, draft, now=at)
        if status is not None:
            await self.decide(draft.id, status)
        return draft.id

    async def decide(self, draft_id, status):
        async with self.core.database.company(self.channel.company_id) as tx:
            await Drafts().settle(tx, draft_id, status, now=self.clock(), staff_id=None)

    async def days(self, *, since=TODAY, zone=MOSCOW, company_id=None):
        async with self.core.database.company(company_id or self.channel.company_id) as tx:
            return await read_days(tx, zone=zone, since=since, now=self.clock())

    async def today(self):
        return (await self.days())[TODAY]

    async def keep(self, *, zone=MOSCOW, most=31):
        async with self.core.database.company(self.channel.company_id) as tx:
            return await keep_finished_days(tx, zone=zone, now=self.clock(), most=most)

    async def kept(self):
        async with self.core.database.company(self.channel.company_id) as tx:
            rows = await tx.connection.execute(select(daily_figures).order_by(daily_figures.c.day))
            return {row["day"]: row for row in rows.mappings()}

    async def forget_rows(self):
        """What retention does in the end."""
        async with self.core.database.company(self.channel.company_id) as tx:
            for table in (turns, replies, tool_calls, handovers, calls, intents):
                await tx.connection.execute(delete(table))


async def test_messages_turns_and_dialogues_are_counted_each_for_itself(house):
    await house.turn(key="1:1:", messages=3)
    await house.turn(key="1:1:", messages=1)
    await house.turn(key="2:2:", messages=1)

    found = await house.today()

    assert (found.turns, found.messages, found.dialogues) == (3, 5, 2)


async def test_a_turn_of_before_messages_were_counted_is_one_message_and_has_no_answer_time(house):
    turn_id = await house.turn(messages=3, waited=2)
    async with house.core.database.company(house.channel.company_id) as tx:
        await tx.connection.execute(update(turns).where(turns.c.id == turn_id).values(messages=None, accepted_at=None))

    found = await house.today()

    assert (found.messages, found.answers.total()) == (1, 0)


async def test_the_day_is_the_companys_own(house):
    # 21:30 UTC of the 23rd is half past midnight of the 24th in Moscow.
    await house.turn(at=datetime.fromisoformat("2026-11-23T21:30:00Z"))

    in_moscow, in_london = await house.days(since=YESTERDAY), await house.days(since=YESTERDAY, zone="Europe/London")

    assert {day: one.turns for day, one in in_moscow.items()} == {YESTERDAY: 0, TODAY: 1}
    assert {day: one.turns for day, one in in_london.items()} == {YESTERDAY: 1, TODAY: 0}


async def test_answer_times_run_from_the_last_message_to_the_first_reply_and_are_right_within_three_percent(house):
    for waited in (1, *[2] * 17, 40, 50):
        await house.turn(waited=waited)
    await house.turn()

    found = await house.today()

    assert found.answers.total() == 20
    assert found.answered_within(0.5).total_seconds() == pytest.approx(2, rel=0.03)
    assert found.answered_within(0.95).total_seconds() == pytest.approx(40, rel=0.03)
    assert found.answered_within(1).total_seconds() == pytest.approx(50, rel=0.03)


async def test_what_is_said_on_the_telephone_has_no_answer_time(house):
    voice, _ = await house.core.companies.add_channel(
        house.channel.company_id, ChannelType.VOICE, external_id="+7", name="+7", options={}, secrets={}
    )
    await house.turn(channel=voice, waited=3)

    found = await house.today()

    assert (found.turns, found.answers.total()) == (1, 0)


async def test_the_share_handed_to_people_is_of_dialogues_with_the_reasons_beside_it(house):
    for key in ("1:1:", "2:2:", "3:3:", "4:4:"):
        await house.turn(key=key)
    await house.turn(key="1:1:", handover="complaint")
    await house.turn(key="1:1:", handover="asked_for")

    found = await house.today()

    assert (found.dialogues, found.handed, found.handed_share) == (4, 1, 0.25)
    assert found.reasons == {"complaint": 1, "asked_for": 1}


async def test_words_that_are_no_code_of_ours_get_into_no_figure(house):
    await house.turn(handover="call Anna +79160000001", tools=[("Anna Ivanova", "ok"), ("get_services", "No!")])
    await house.write("create", "refused", error="Anna Ivanova is busy")

    found = await house.today()

    assert (found.reasons, found.writes) == ({"other": 1}, {"refused/other": 1})
    assert found.tools == {"other/ok": 1, "get_services/other": 1}


async def test_a_tools_call_succeeds_where_nothing_was_refused(house):
    await house.turn(tools=[("get_services", "ok"), ("give_booking_link", "link_given"), ("get_services", "ok")])
    await house.turn(tools=[("get_available_slots", "crm_unavailable")])

    found = await house.today()

    assert found.tool_success == 0.75
    assert found.failed_tools == {"get_available_slots/crm_unavailable": 1}


async def test_a_visit_of_several_records_is_one_booking_and_one_that_was_taken_back_is_none(house):
    visit, undone, single = (f"aiadm-{uuid4().hex}" for _ in range(3))
    for part in ("1", "2"):
        await house.write("create", external_id=f"{visit}-{part}")
    await house.write("create", external_id=single)
    await house.write("create", external_id=f"{undone}-1")
    await house.write("create", "refused", external_id=f"{undone}-2", error="slot_taken")
    await house.write("cancel", external_id=f"{undone}-1-back")
    await house.write("move")
    await house.write("cancel")
    await house.write("cancel")

    found = await house.today()

    assert (found.booked, found.moved, found.cancelled) == (2, 1, 2)


async def test_the_crm_is_judged_by_the_writes_that_reached_it(house):
    for _ in range(7):
        await house.write("create")
    await house.write("create", "refused", error="slot_taken")
    await house.write("move", "refused", error="crm_unavailable")
    await house.write("create", "unknown", error="no answer for Anna")
    await house.write("create", "refused", called=False, error="slot_taken")

    found = await house.today()

    assert found.write_success == 0.7
    assert found.writes == {
        "done": 7,
        "refused/slot_taken": 1,
        "refused/crm_unavailable": 1,
        "unknown": 1,
    }


async def test_calls_that_have_ended_are_counted_with_their_length(house):
    await house.call("said_goodbye", 60)
    await house.call("transfer", 121)

    found = await house.today()

    assert found.calls == {"said_goodbye": 1, "transfer": 1}
    assert found.mean_call == timedelta(seconds=90.5)


async def test_drafts_are_counted_on_the_day_they_were_written_by_what_became_of_them(house):
    for status in (DraftStatus.SENT, DraftStatus.SENT, DraftStatus.SENT, DraftStatus.EDITED, DraftStatus.DROPPED):
        await house.draft(status)
    await house.draft(DraftStatus.STALE, key="6:6:")
    await house.draft(None, key="6:6:")
    await house.draft(DraftStatus.SENT, at=house.clock() - timedelta(days=1))

    found = await house.days(since=YESTERDAY)

    assert found[TODAY].drafts == {"sent": 3, "edited": 1, "dropped": 1, "stale": 1, "open": 1}
    assert found[TODAY].drafts_unchanged == 0.6, "of those that staff decided on"
    assert found[YESTERDAY].drafts == {"sent": 1}
    assert Figures().drafts_unchanged is None


async def test_drafts_of_a_kept_day_are_as_they_became_since(house):
    draft_id = await house.draft(None, at=house.clock() - timedelta(days=1))
    await house.turn(at=house.clock() - timedelta(days=1))
    await house.keep()

    await house.decide(draft_id, DraftStatus.EDITED)

    assert (await house.days(since=YESTERDAY))[YESTERDAY].drafts == {"edited": 1}


async def test_tokens_and_cost_are_those_of_the_budget(house):
    async with house.core.database.company(house.channel.company_id) as tx:
        usage = Usage(calls=1, prompt_tokens=1000, output_tokens=50, cached_tokens=800)
        await Spending().add(tx, now=house.clock(), usage=usage, cost=4200)

    found = await house.today()

    assert (found.prompt_tokens, found.cached_tokens, found.output_tokens) == (1000, 800, 50)
    assert found.cost_microusd == 4200


async def test_another_companys_rows_are_in_no_figure(house, make_channel):
    other = await make_channel("other")
    await house.turn(waited=1, handover="other", tools=[("get_services", "ok")])
    await house.write("create")
    await house.call("hung_up", 5)

    [found] = (await house.days(company_id=other.company_id)).values()

    assert found == Figures()


async def test_finished_days_are_kept_and_outlive_the_rows_that_they_were_counted_from(house):
    await house.turn(at=house.clock() - timedelta(days=2), waited=3, handover="complaint", tools=[("x", "ok")])
    await house.write("create", at=house.clock() - timedelta(days=2))
    await house.call("hung_up", 7, at=house.clock() - timedelta(days=1))
    await house.turn(messages=2)
    before = await house.days(since=TODAY - timedelta(days=3))

    assert await house.keep() is False
    await house.forget_rows()
    after = await house.days(since=TODAY - timedelta(days=3))

    assert list(await house.kept()) == [TODAY - timedelta(days=2), YESTERDAY]
    assert before[TODAY].messages == 2
    assert {**before, TODAY: Figures()} == after
    assert after[TODAY - timedelta(days=2)].booked == 1


async def test_keeping_a_day_again_changes_nothing(house):
    await house.turn(at=house.clock() - timedelta(days=1), waited=3)
    await house.keep()
    first = await house.kept()

    house.clock.advance(timedelta(hours=1))
    await house.keep()

    assert await house.kept() == first


async def test_a_finished_day_is_counted_once_more_when_it_has_settled_and_never_to_less(house):
    house.clock.now = datetime.fromisoformat("2026-11-23T21:05:00Z")
    late = await house.turn(at=datetime.fromisoformat("2026-11-23T20:59:00Z"), waited=None)
    await house.keep()
    assert (await house.kept())[YESTERDAY]["answers"] == {}

    async with house.core.database.company(house.channel.company_id) as tx:
        values = {"company_id": tx.company, "id": new_id(), "turn_id": late, "channel_id": house.channel.id}
        await tx.connection.execute(
            insert(replies).values(
                **values,
                dialogue_id=dialogue_id_of(house.channel.id, "5:5:"),
                dialogue_key="5:5:",
                payload={},
                status="sent",
                sent_at=house.clock(),
            )
        )
    house.clock.advance(SETTLED_AFTER)
    await house.keep()
    settled = (await house.kept())[YESTERDAY]
    assert sum(settled["answers"].values()) == 1

    async with house.core.database.company(house.channel.company_id) as tx:
        # As if it had been counted before it settled, and its rows were gone now.
        await tx.connection.execute(update(daily_figures).values(made_at=house.clock() - SETTLED_AFTER))
    await house.forget_rows()
    await house.keep()
    assert (await house.kept())[YESTERDAY]["answers"] == settled["answers"]


async def test_many_days_are_kept_in_steps_the_oldest_first(house):
    await house.turn(at=house.clock() - timedelta(days=5))

    assert await house.keep(most=3) is True
    assert list(await house.kept()) == [TODAY - timedelta(days=number) for number in (5, 4, 3)]
    assert await house.keep(most=3) is False
    assert len(await house.kept()) == 5


async def test_of_a_company_without_a_turn_no_day_is_kept(house):
    assert await house.keep() is False
    assert await house.kept() == {}


async def test_kept_figures_hold_nothing_of_a_client(house):
    await house.turn(at=house.clock() - timedelta(days=1), waited=3, handover="asked_for", tools=[("x", "ok")])
    await house.keep()

    [row] = (await house.kept()).values()

    told = json.dumps(dict(row), default=str)
    assert "words" not in told
    assert str(dialogue_id_of(house.channel.id, "5:5:")) not in told


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT count(*) FROM intents WHERE finished_at >= now() AND finished_at < now()", "finished_at"),
        ("SELECT count(*) FROM handovers WHERE created_at >= now() AND created_at < now()", "created_at"),
        ("SELECT count(*) FROM turns WHERE at >= now() AND at < now()", "at"),
        ("SELECT count(*) FROM drafts WHERE made_at >= now() AND made_at < now()", "made_at"),
        ("SELECT count(*) FROM calls WHERE started_at >= now() AND started_at < now()", "started_at"),
    ],
)
async def test_a_day_is_found_by_an_index_of_company_and_time(house, statement, index):
    async with house.core.database.company(house.channel.company_id) as tx:
        await tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
        found = "\n".join(row for (row,) in await tx.connection.execute(text(f"EXPLAIN {statement}")))

    [condition] = [line for line in found.splitlines() if "Index Cond" in line]
    assert "company_id =" in condition
    assert f"{index} >=" in condition


def test_days_and_companies_are_put_together_with_their_percentiles():
    fast, slow = Figures(messages=1, booked=2), Figures(messages=4, handed=1, dialogues=2)
    fast.answers.update({"150": 99})
    slow.answers.update({"210": 1})

    total = together([fast, slow])

    assert (total.messages, total.booked, total.handed_share) == (5, 2, 0.5)
    assert total.answered_within(0.99) == fast.answered_within(0.5)
    assert total.answered_within(1) == slow.answered_within(0.5)
    assert Figures().answered_within(0.5) is None
    assert by_day([{TODAY: fast}, {YESTERDAY: fast, TODAY: slow}]) == {YESTERDAY: fast, TODAY: total}
