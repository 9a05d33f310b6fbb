"""Clients who wait for a person are rung for again; where a person is silent for long, the agent answers again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter

from bot.handover_desk import HandoverDesk, HandoverStores
from bot.staff_desk import private_chat
from db.directory import Directory
from db.engine import Database, Transaction
from db.handovers import Thread
from db.records import Author, Channel, Claim, Dialogue
from db.staff import Role
from db.work import Work
from locales import Translator
from orchestration.handover_times import Step, Waits, next_step
from orchestration.menu import AGENT_AGAIN
from orchestration.messages import Button, Reply
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.trouble import label_of

log = structlog.get_logger()

STEPS = Counter("ai_admin_handover_steps", "What was done about dialogues that a person answers.", ["step"])
_MOST_OWNERS = 5
_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStores:
    database: Database
    work: Work
    directory: Directory
    people: HandoverStores


class HandoverWatchJob:
    def __init__(self, stores: WatchStores, scopes: CompanyScopes, desk: HandoverDesk, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._desk = desk
        self._clock = clock

    async def __call__(self, claim: Claim) -> None:
        """Do what is due in one transaction, and say when to look again. Raises LeaseLost."""
        scope, now = await self._scopes.open(claim.company_id), self._clock()
        branch = next(iter(scope.branches), None)
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            thread = await self._stores.people.handovers.find(tx, claim.dialogue_id)
            client = await self._stores.people.dialogues.find_dialogue(tx, claim.dialogue_id)
            due = None
            if thread is not None and client is not None and thread.is_open:
                waits = Waits(
                    client_waits_since=thread.client_waits_since, person_at=thread.person_at, rung=thread.rung
                )
                people = scope.agent.people
                step, due = next_step(
                    waits,
                    branch,
                    now,
                    ring_after=timedelta(minutes=people.ring_minutes),
                    hand_back_after=timedelta(hours=people.hand_back_hours),
                )
                if step is not None:
                    await self._do(tx, claim, scope, thread, client, step)
                    STEPS.labels(step.value).inc()
                    log.info("handover_step", step=step.value)
            await self._stores.work.done(tx, claim, next_due_at=due)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason."""

    async def give_up(self, claim: Claim) -> None:
        """Look again later: a client waits."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=self._clock() + _AGAIN)

    async def _do(
        self, tx: Transaction, claim: Claim, scope: CompanyScope, thread: Thread, client: Dialogue, step: Step
    ) -> None:
        texts = Translator.for_language(scope.agent.language)
        label = label_of(client, texts)
        match step:
            case Step.HAND_BACK:
                await self._desk.hand_back(tx, scope, client, told=texts.text("staff-handed-back-by-silence"))
            case Step.RING_STAFF:
                await self._stores.people.handovers.count_ring(tx, client.id)
                await self._desk.show(tx, client, texts.text("staff-client-waits"))
            case Step.RING_OWNER:
                await self._stores.people.handovers.count_ring(tx, client.id)
                await self._desk.show(tx, client, texts.text("staff-client-waits"))
                await self._ring_owners(tx, claim, thread, texts.text("staff-client-waits-owner", client=label))
                await self._tell_client(tx, scope, client)

    async def _ring_owners(self, tx: Transaction, claim: Claim, thread: Thread, words: str) -> None:
        if thread.staff_chat is None:
            return
        bot: Channel = await self._stores.directory.get_channel(claim.company_id, thread.staff_chat.channel_id)
        members = await self._stores.people.staff.list(tx, now=self._clock())
        for owner in [one for one in members if one.role is Role.OWNER][:_MOST_OWNERS]:
            chat = private_chat(bot, owner)
            if chat is not None:
                payload = Reply(text=words).model_dump(mode="json", exclude_defaults=True)
                await self._stores.people.outbox.put(
                    tx, chat, [payload], turn_id=None, author=Author.SYSTEM, about=thread.dialogue_id
                )

    async def _tell_client(self, tx: Transaction, scope: CompanyScope, client: Dialogue) -> None:
        """Say once that nobody has come yet, and let the client go on with the assistant."""
        texts = Translator.for_language(client.language, default=scope.agent.language)
        button = Button(text=texts.text("button-agent-again"), action=AGENT_AGAIN)
        payload = Reply(text=texts.text("person-not-yet"), buttons=((button,),)).model_dump(
            mode="json", exclude_defaults=True
        )
        await self._stores.people.outbox.put(tx, client, [payload], turn_id=None, author=Author.SYSTEM)
