"""One claim of a dialogue's memory: older turns become a note, the client's past visits are read, nobody waits for it.

Rung when the client's phone is proved, when much was said, and some hours after the last word. A model or a CRM that
fails is asked again later; until then the dialogue goes on with what was remembered before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from crm.base import Appointment, Capability, Phone
from crm.errors import CRMError
from crm.purpose import Purpose, acting
from db.dialogues import Dialogues
from db.engine import Database, Transaction
from db.memory import Memory
from db.records import Author, Claim, Dialogue, HistoryMessage, Usage, WorkKind
from db.remembered import ClientMemory, PastVisit
from db.spending import Spending
from db.work import Work, ring
from locales import prompt_text
from orchestration.errors import ModelBlocked, ModelError
from orchestration.masking import MaskingModel
from orchestration.model_prices import cost_of
from orchestration.ports import Clock, Content, Model, ModelRequest, TextPart
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.turns import MICROUSD_IN_A_CENT, TurnPostponed

log = structlog.get_logger()

QUIET = timedelta(hours=12)
"""So long after the last word a conversation is over, and all of it becomes a note."""
MANY_MESSAGES = 40
KEPT_TURNS = 10
"""Of a conversation that goes on; they are shown to the model whole, and are in no note yet."""
_FEWEST, _MOST_READ = 4, 200
_MOST_NOTE, _MOST_VISITS = 900, 10
_VISITS_SINCE = timedelta(days=365)
_AGAIN, _REST = timedelta(minutes=30), timedelta(days=1)
_TIME = timedelta(seconds=60)
_NOTHING = ClientMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStores:
    database: Database
    work: Work
    dialogues: Dialogues
    memory: Memory
    spending: Spending


class MemoryJob:
    def __init__(self, stores: MemoryStores, scopes: CompanyScopes, model: Model, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._model = MaskingModel(model)
        self._clock = clock

    async def __call__(self, claim: Claim) -> None:
        """Remember and commit. Raises LeaseLost, or TurnPostponed where the model fails."""
        stores, now = self._stores, self._clock()
        scope = await self._scopes.open(claim.company_id)
        async with stores.database.company(claim.company_id) as tx:
            dialogue = await stores.dialogues.find_dialogue(tx, claim.dialogue_id)
            known = await stores.memory.find(tx, claim.dialogue_id) or _NOTHING
            said = await stores.memory.list_unread(tx, claim.dialogue_id, after=known.covers_until, limit=_MOST_READ)
            may_ask = await self._may_ask(tx, scope, now)
        if dialogue is None:
            await self._rest(claim, until=None)
            return
        over_at = said[-1].at + QUIET if said else None
        goes_on = over_at is not None and over_at > now
        old = _before_last(said, KEPT_TURNS) if goes_on else list(said)
        memory = replace(known, visits=await self._visits(scope, dialogue, known, now))
        usage, model = Usage(), ""
        if len(old) >= _FEWEST and may_ask:
            memory, usage, model = await self._note(scope, dialogue, memory, old)
        async with stores.database.company(claim.company_id) as tx:
            # Whose dialogue was erased meanwhile is not remembered.
            await stores.work.hold(tx, claim)
            await stores.memory.save(tx, claim.dialogue_id, memory, now=now)
            await stores.work.done(tx, claim, next_due_at=over_at if goes_on else None)
            if usage.calls:
                await stores.spending.add(tx, now=now, usage=usage, cost=cost_of(usage, model))

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason."""

    async def give_up(self, claim: Claim) -> None:
        """Rest; the dialogue goes on with what was remembered before."""
        await self._rest(claim, until=self._clock() + _REST)

    async def _rest(self, claim: Claim, *, until: datetime | None) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=until)

    async def _may_ask(self, tx: Transaction, scope: CompanyScope, now: datetime) -> bool:
        hard = scope.agent.budget.hard
        return hard is None or await self._stores.spending.this_month(tx, now=now) < hard * MICROUSD_IN_A_CENT

    async def _visits(
        self, scope: CompanyScope, dialogue: Dialogue, known: ClientMemory, now: datetime
    ) -> tuple[PastVisit, ...]:
        """Read the past visits of a client with a proved phone; what was known stands where the CRM cannot be asked."""
        if dialogue.proved_phone is None or not scope.can(Capability.LIST):
            return known.visits
        since = (now - _VISITS_SINCE).date()
        found: list[Appointment] = []
        try:
            with acting(Purpose.REFRESH):
                for branch in scope.branches:
                    found += await scope.crm(branch.id).list_appointments(Phone(dialogue.proved_phone), first=since)
        except CRMError as error:
            log.info("visits_not_read", code=error.code)
            return known.visits
        past = sorted(
            (one for one in found if one.starts_at < now and not one.cancelled), key=lambda one: one.starts_at
        )
        return tuple(
            PastVisit(at=one.starts_at, services=tuple(each.title for each in one.services), staff=one.staff.name)
            for one in past[-_MOST_VISITS:]
        )

    async def _note(
        self, scope: CompanyScope, dialogue: Dialogue, memory: ClientMemory, old: Sequence[HistoryMessage]
    ) -> tuple[ClientMemory, Usage, str]:
        """Write the note anew with what was said since. Raises TurnPostponed."""
        talk = "\n".join(f"{'CLIENT' if one.author is Author.CLIENT else 'DESK'}: {one.text}" for one in old)
        request = ModelRequest(
            system=prompt_text("remembering"),
            contents=[Content(role="user", parts=(TextPart(text=f"NOTED BEFORE: {memory.summary or '-'}\n\n{talk}"),))],
            tools=(),
            timeout=_TIME,
            model=scope.agent.model,
            private=[dialogue.client_name or ""] if scope.agent.hides_clients_from_model else None,
        )
        try:
            answer = await self._model.generate(request)
        except ModelBlocked as error:
            # What may not be noted is not noted; the next words may.
            log.info("memory_not_written", reason=str(error))
            return replace(memory, covers_until=old[-1].id), Usage(), ""
        except ModelError as error:
            raise TurnPostponed(_AGAIN, f"the model: {error}") from error
        text = " ".join(answer.content.text.split())[:_MOST_NOTE]
        note = memory.summary if text.strip("-–— .") == "" else text
        return replace(memory, summary=note, covers_until=old[-1].id), answer.usage, answer.model


async def ask_to_remember(tx: Transaction, before: Dialogue, after: Dialogue, *, unread: int, now: datetime) -> None:
    """Ring the memory of a dialogue whose turn is being committed: at once where there is reason to, else later."""
    proved = after.proved_phone is not None and before.proved_phone is None
    due_at = now if proved or unread >= MANY_MESSAGES else now + QUIET
    await ring(tx, dialogue_id=after.id, channel_id=after.channel_id, kind=WorkKind.MEMORY, due_at=due_at)


def _before_last(said: Sequence[HistoryMessage], turns: int) -> list[HistoryMessage]:
    """Return the messages before the last so many turns."""
    kept = set(list(dict.fromkeys(one.turn_id for one in said))[-turns:])
    return [one for one in said if one.turn_id not in kept]
