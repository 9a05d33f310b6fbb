"""Replies on their way out: at the messenger's pace, in order, and to an end where there is nobody to take them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.app import Core, utc_now
from bot.worker_jobs import delivery_stores
from db.dialogues import Dialogues
from db.limits import Budget, RateLimits
from db.models import work
from db.outbox import Outbox
from db.outbox_models import replies
from db.records import (
    AgentSettings,
    Branch,
    BranchId,
    Channel,
    ChannelType,
    Company,
    CompanyId,
    Dialogue,
    WorkKind,
    dialogue_id_of,
    new_id,
)
from handlers.delivery import DeliveryJob
from handlers.send_pace import SendPace
from handlers.telegram.bots import Bots
from handlers.telegram.dispatch import TelegramDispatch, build_dispatcher
from handlers.telegram.limits import LIMITS, TelegramLimits
from middlewares.fsm import TurnStorage
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

TOKEN = "700000009:SANDBOX-only-works-in-the-tests-000009"
BOT = 700000009
LEASE = timedelta(seconds=12)
ELENA, IVAN, STAFF = 5, 6, -100
FREE = Budget(rate=1000, per=timedelta(seconds=1), burst=1000)
UNLIMITED = TelegramLimits(private=FREE, group=FREE, bot=FREE)


def hourly(burst):
    """A budget that is never filled up while a test runs."""
    return Budget(rate=1, per=timedelta(hours=1), burst=burst)


@dataclass
class Post:
    """A company's outbox, a Telegram, and processes that deliver from one to the other."""

    core: Core
    telegram: TelegramSandbox
    channel: Channel
    bots: Bots
    dialogues: Dialogues = field(default_factory=Dialogues)

    def process(self, limits=UNLIMITED, rates=None):
        """Make what one process delivers with."""
        channels = {ChannelType.TELEGRAM: TelegramDispatch(self.bots, build_dispatcher(TurnStorage(), utc_now), limits)}
        pace = SendPace(rates or self.core.limits)
        return DeliveryJob(delivery_stores(self.core), channels, pace, self.core.clock)

    def dialogue(self, chat):
        key = f"{chat}:{chat}:"
        ids = {"company_id": self.channel.company_id, "channel_id": self.channel.id}
        return Dialogue(id=dialogue_id_of(self.channel.id, key), key=key, **ids)

    async def put(self, chat, *texts):
        async with self.core.database.company(self.channel.company_id) as tx:
            payloads = [{"text": text} for text in texts]
            await Outbox(self.core.clock).put(tx, self.dialogue(chat), payloads, turn_id=None)

    async def open(self, chat):
        """Make the dialogue known, as the client's first message does."""
        wanted = self.dialogue(chat)
        async with self.core.database.company(self.channel.company_id) as tx:
            return await self.dialogues.open_dialogue(
                tx, channel_id=wanted.channel_id, dialogue_id=wanted.id, key=wanted.key, now=self.core.clock()
            )

    async def unreachable_since(self, chat):
        return (await self.open(chat)).unreachable_at

    def sends(self):
        """Return how many messages Telegram was asked to take."""
        return sum(call["method"] == "sendmessage" for call in self.telegram.calls)

    async def deliver(self, process):
        """Work on everything that is due, in the order in which it became so."""
        for claim in await self.core.work.claim("test", limit=100, ttl=LEASE, kind=WorkKind.DELIVERY):
            await process(claim)

    def heard(self, chat):
        return self.telegram.people.texts_from_bot(BOT, chat)

    async def rests(self, chat):
        """Return for how long the chat's delivery rests; None: nothing waits."""
        due = await self._rows(work.c.due_at, work.c.dialogue_id == self.dialogue(chat).id)
        return due[0] and due[0] - self.core.clock()

    async def column(self, column):
        """Return a column of the replies, in the order in which they were put."""
        return await self._rows(column)

    async def _rows(self, column, *where):
        table = column.table
        async with self.core.database.company(self.channel.company_id) as tx:
            rows = await tx.connection.execute(
                select(column).where(table.c.company_id == tx.company, *where).order_by(table.primary_key.columns[1])
            )
            return [row[0] for row in rows]

    async def time_passes(self):
        """Let budgets be filled again: Redis has a clock that no test moves."""
        self.core.clock.advance(timedelta(hours=12))
        async for key in self.core.redis.scan_iter(f"{self.core.redis_prefix}rate:*"):
            await self.core.redis.delete(key)


@pytest.fixture
async def post(core, clock):
    company = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    branch = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [branch])
    telegram = TelegramSandbox(clock=clock, chat_burst=1000, bot_per_s=1000)
    telegram.add_bot(TOKEN)
    await telegram.start()
    secrets = {"token": SecretStr(TOKEN), "secret_token": SecretStr("x")}
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id=str(BOT), name="@bot", options={}, secrets=secrets
    )
    bots = Bots(core.open_channel_secrets, api_url=telegram.url)
    for chat in (ELENA, IVAN):
        await telegram.people.send_text(BOT, User(id=chat, first_name="A"), "hi")
    telegram.people.add_to_group(BOT, STAFF, "Staff")
    yield Post(core, telegram, channel, bots)
    await bots.close()
    await telegram.stop()
    assert telegram.violations == []


# ---- the messenger's pace


async def test_what_is_over_a_chats_budget_rests_in_order_and_counts_no_failed_try(post):
    process = post.process(TelegramLimits(private=hourly(2), group=FREE, bot=FREE))
    await post.put(ELENA, "1", "2", "3")
    await post.put(IVAN, "other")
    await post.deliver(process)

    assert (post.heard(ELENA), post.heard(IVAN)) == (["1", "2"], ["other"])
    assert timedelta(minutes=59) < await post.rests(ELENA) <= timedelta(hours=1)
    assert set(await post.column(replies.c.attempts)) == {0}

    await post.time_passes()
    await post.deliver(process)
    assert post.heard(ELENA) == ["1", "2", "3"]
    assert await post.rests(ELENA) is None


async def test_a_long_reply_goes_on_where_its_budget_ended(post):
    process = post.process(TelegramLimits(private=hourly(2), group=FREE, bot=FREE))
    await post.put(ELENA, " ".join(["x" * 4000, "y" * 4000, "z" * 4000]))
    await post.deliver(process)
    await post.time_passes()
    await post.deliver(process)

    assert [text[0] for text in post.heard(ELENA)] == ["x", "y", "z"]


async def test_a_bots_budget_is_one_for_all_its_chats_and_all_processes(post):
    limits = TelegramLimits(private=FREE, group=FREE, bot=hourly(1))
    await post.put(ELENA, "1")
    await post.deliver(post.process(limits))
    for chat in (IVAN, STAFF):
        await post.put(chat, "2")
    await post.deliver(post.process(limits))

    assert (post.heard(ELENA), post.heard(IVAN), post.heard(STAFF)) == (["1"], [], [])
    assert sorted([await post.rests(IVAN), await post.rests(STAFF)])[1] > timedelta(minutes=119)


async def test_a_group_has_a_budget_of_its_own(post):
    process = post.process(TelegramLimits(private=FREE, group=hourly(1), bot=FREE))
    for chat in (ELENA, STAFF):
        await post.put(chat, "1", "2")
    await post.deliver(process)

    assert (post.heard(ELENA), post.heard(STAFF)) == (["1", "2"], ["1"])


def test_the_budgets_stay_within_what_telegram_publishes():
    assert LIMITS.private.rate / LIMITS.private.per.total_seconds() == 1
    assert (LIMITS.group.burst + LIMITS.group.rate, LIMITS.group.per) == (20, timedelta(minutes=1))
    assert (LIMITS.bot.burst + LIMITS.bot.rate, LIMITS.bot.per) == (30, timedelta(seconds=1))


@pytest.mark.parametrize(("flooded", "other_hears"), [(ELENA, []), (STAFF, ["2"])])
async def test_a_refusal_for_a_whole_bot_holds_up_its_other_chats_and_a_groups_own_only_the_group(
    post, flooded, other_hears
):
    post.telegram.fail_next("sendmessage", code=429, retry_after=600)
    await post.put(flooded, "1")
    await post.deliver(post.process())
    assert await post.rests(flooded) == timedelta(seconds=600)
    await post.put(IVAN, "2")
    await post.deliver(post.process())

    assert post.heard(IVAN) == other_hears
    if not other_hears:
        assert timedelta(seconds=590) < await post.rests(IVAN) <= timedelta(seconds=600)


@pytest.mark.parametrize("chat", [ELENA, STAFF])
async def test_a_new_reply_does_not_cut_the_rest_short_that_the_messenger_asked_for(post, chat):
    post.telegram.fail_next("sendmessage", code=429, retry_after=600)
    await post.put(chat, "1")
    await post.deliver(post.process())
    await post.put(chat, "2")
    await post.deliver(post.process())

    assert post.heard(chat) == []
    assert post.sends() == 1


async def test_a_flood_that_lasts_never_gives_a_reply_up(post):
    process = post.process()
    post.telegram.fail_next("sendmessage", times=50, code=429, retry_after=1)
    await post.put(ELENA, "1")
    for _ in range(51):
        await post.deliver(process)
        await post.time_passes()

    assert post.heard(ELENA) == ["1"]


async def test_without_redis_the_messenger_itself_says_when_to_rest(post):
    gone = RateLimits(Redis(port=1, retry=Retry(NoBackoff(), 0)), "p:")
    process = post.process(TelegramLimits(private=hourly(1), group=FREE, bot=FREE), gone)
    await post.put(ELENA, "1", "2")
    await post.deliver(process)
    post.telegram.fail_next("sendmessage", code=429, retry_after=7)
    await post.put(ELENA, "3")
    await post.deliver(process)

    assert post.heard(ELENA) == ["1", "2"]
    assert await post.rests(ELENA) == timedelta(seconds=7)


# ---- nobody there


def block(post):
    post.telegram.people.chat(BOT, ELENA).blocked = True


def delete_account(post):
    post.telegram.people.delete_account(BOT, User(id=ELENA, first_name="A"))


def lose_the_chat(post):
    del post.telegram.state.bots[BOT].chats[ELENA]


@pytest.mark.parametrize("leave", [block, delete_account, lose_the_chat])
async def test_a_client_who_is_gone_is_marked_once_and_nothing_more_is_sent(post, clock, leave):
    process = post.process()
    found_at = clock()
    await post.open(ELENA)
    await post.put(ELENA, "1", "2", "3")
    leave(post)
    with capture_logs() as logs:
        await post.deliver(process)

    assert await post.column(replies.c.status) == ["failed"] * 3
    assert await post.unreachable_since(ELENA) == found_at
    assert [line["event"] for line in logs] == ["client_unreachable"]

    await post.time_passes()
    await post.put(ELENA, "4")
    await post.deliver(process)

    assert await post.column(replies.c.status) == ["failed"] * 4
    assert await post.unreachable_since(ELENA) == found_at
    assert await post.rests(ELENA) is None
    assert post.sends() == 1


async def test_who_was_gone_and_is_back_gets_the_replies_that_are_put_from_then_on(post):
    process = post.process()
    await post.open(ELENA)
    await post.put(ELENA, "1")
    block(post)
    await post.deliver(process)

    post.telegram.people.chat(BOT, ELENA).blocked = False
    async with post.core.database.company(post.channel.company_id) as tx:
        await post.dialogues.mark_reachable(tx, post.dialogue(ELENA).id)
    await post.put(ELENA, "2")
    await post.deliver(process)

    assert post.heard(ELENA) == ["2"]
    assert await post.unreachable_since(ELENA) is None


async def test_a_client_who_wrote_while_a_reply_was_refused_is_not_marked(post, clock):
    wrote = replace(await post.open(ELENA), last_message_at=clock())
    async with post.core.database.company(post.channel.company_id) as tx:
        await post.dialogues.save_dialogue(tx, wrote)
        before, at = clock() - timedelta(seconds=1), clock()
        marked = [
            await post.dialogues.mark_unreachable(tx, wrote.id, now=clock(), unless_heard_since=tried_at)
            for tried_at in (before, at)
        ]

    assert marked == [False, True]


async def test_a_staff_chat_that_put_the_bot_out_is_told_of_once_for_each_notice(post):
    process = post.process()
    await post.put(STAFF, "1", "2")
    post.telegram.people.chat(BOT, STAFF).blocked = True
    with capture_logs() as logs:
        await post.deliver(process)
        await post.deliver(process)

    assert [line["event"] for line in logs] == ["reply_not_delivered"] * 2
    assert await post.column(replies.c.status) == ["failed", "failed"]
    assert await post.rests(STAFF) is None

    post.telegram.people.chat(BOT, STAFF).blocked = False
    await post.put(STAFF, "3")
    await post.deliver(process)
    assert post.heard(STAFF) == ["3"]


# ---- an answer that got lost


def count(outcome):
    return REGISTRY.get_sample_value("ai_admin_replies_total", {"channel": "telegram", "outcome": outcome}) or 0


async def test_a_reply_whose_answer_got_lost_is_sent_again_and_counted_as_uncertain(post):
    process, before = post.process(), count("uncertain")
    post.telegram.fail_next("sendmessage", cut_after=True)
    await post.put(ELENA, "1")
    with capture_logs() as logs:
        await post.deliver(process)
        await post.time_passes()
        await post.deliver(process)

    assert post.heard(ELENA) == ["1", "1"]
    assert await post.column(replies.c.status) == ["sent"]
    assert count("uncertain") == before + 1
    assert [line["event"] for line in logs] == ["reply_may_come_twice"]


@pytest.mark.parametrize("trouble", ["no_connection", "its_own"])
async def test_a_reply_that_was_certainly_not_taken_is_only_delayed(post, trouble):
    before = count("uncertain"), count("delayed")
    if trouble == "no_connection":
        await post.telegram.stop()
    else:
        post.telegram.fail_next("sendmessage", code=500)
    await post.put(ELENA, "1")
    await post.deliver(post.process())

    assert (count("uncertain"), count("delayed")) == (before[0], before[1] + 1)
    assert await post.column(replies.c.attempts) == [1]
