"""The stage: the real pipeline (intake, worker, orchestrator) over local CRMs, and clients who walk on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from pydantic import SecretStr
from sqlalchemy import func, select

from bot.app import Core
from bot.companies import create_from_file
from bot.company_file import CompanyFile
from bot.orchestrator_app import build_orchestrator
from bot.worker_app import Orchestrate, open_worker
from db.models import handovers, tool_calls, turns
from db.records import (
    Accepted,
    BranchId,
    Channel,
    ChannelType,
    CompanyId,
    WorkKind,
    dialogue_id_of,
    new_id,
)
from handlers.api.dispatch import ApiDispatch
from orchestration.errors import MediaUnavailable
from orchestration.messages import Attachment, AttachmentKind, Message, Reply, Sender
from orchestration.ports import Model
from sandbox.business import Business
from sandbox.media import voice_note
from sandbox.staff_side import CRMSandbox

_WAIT = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one turn took of the model, and what came of it."""

    outcome: str
    calls: int
    prompt_tokens: int
    output_tokens: int
    tool_calls: int = 0
    cost: int = 0
    """In millionths of a US dollar, by the price table."""


@dataclass(slots=True)
class Actor:
    """One client on the stage. Every method returns what the client is answered."""

    core: Core
    channel: Channel
    name: str
    language: str | None = None
    recordings: dict[str, bytes] = field(default_factory=dict)
    key: str = field(default_factory=lambda: str(new_id()))
    heard: list[Reply] = field(default_factory=list)
    shared: bool = False
    """The client has shared their phone."""

    async def says(self, text: str) -> tuple[Reply, ...]:
        return await self._send(text=text)

    async def says_aloud(self, words: str) -> tuple[Reply, ...]:
        """Send a voice note with these words."""
        ref = str(new_id())
        self.recordings[ref] = voice_note(words, seconds=3)
        note = Attachment(kind=AttachmentKind.VOICE, ref=ref, mime_type="audio/ogg", seconds=3)
        return await self._send(attachments=(note,))

    async def shares_phone(self, phone: str) -> tuple[Reply, ...]:
        self.shared = True
        return await self._send(proved_phone=phone)

    async def presses(self, label: str) -> tuple[Reply, ...]:
        """Press the latest button with these words on it. Raises LookupError where there is none."""
        for reply in reversed(self.heard):
            for button in reply.choices:
                if label.casefold() in button.text.casefold():
                    return await self._send(action=button.action, label=button.text, press_id=str(new_id()))
        raise LookupError(label)

    @property
    def is_asked_for_phone(self) -> bool:
        return not self.shared and bool(self.heard) and self.heard[-1].ask_contact is not None

    @property
    def told(self) -> str:
        """Everything that the client was told."""
        return "\n".join(reply.text for reply in self.heard)

    async def _send(self, **fields: Any) -> tuple[Reply, ...]:
        message_id = str(new_id())
        sender = Sender(name=self.name, language=self.language)
        message = Message(id=message_id, sent_at=self.core.clock(), sender=sender, **fields)
        payload = message.model_dump_json(exclude_defaults=True).encode()
        accepted = Accepted(update_key=message_id, dialogue_key=self.key, payload=payload)
        await self.core.intake.accept(self.channel, [accepted], quiet=timedelta(0))
        dialogue_id = dialogue_id_of(self.channel.id, self.key)
        await self.core.doorbell.ring(WorkKind.TURN)
        answer = await self.core.answers.wait(self.channel, message_id, dialogue_id, within=_WAIT)
        if answer is None:
            raise TimeoutError("no answer on the stage")
        replies = tuple(Reply.model_validate(one) for one in answer.replies)
        self.heard += replies
        return replies


@dataclass(slots=True, kw_only=True)
class Scene:
    """A copy of the company with a CRM of its own; what happens in one is not seen in another."""

    core: Core
    company_id: CompanyId
    crm: CRMSandbox
    channel: Channel
    recordings: dict[str, bytes]

    def client(self, name: str, *, language: str | None = None) -> Actor:
        return Actor(self.core, self.channel, name, language, self.recordings)

    async def list_turns(self) -> Sequence[Spent]:
        """Return what every turn so far took, in order."""
        async with self.core.database.company(self.company_id) as tx:
            called = (
                select(func.count())
                .select_from(tool_calls)
                .where(tool_calls.c.company_id == self.company_id, tool_calls.c.turn_id == turns.c.id)
                .scalar_subquery()
            )
            rows = await tx.connection.execute(
                select(turns, called.label("called")).where(turns.c.company_id == self.company_id).order_by(turns.c.id)
            )
            return [
                Spent(
                    outcome=row["outcome"],
                    calls=row["calls"],
                    prompt_tokens=row["prompt_tokens"],
                    output_tokens=row["output_tokens"],
                    tool_calls=row["called"],
                    cost=row["cost_microusd"],
                )
                for row in rows.mappings()
            ]

    async def list_handovers(self) -> Sequence[str]:
        """Return why people were called, in order."""
        async with self.core.database.company(self.company_id) as tx:
            rows = await tx.connection.execute(
                select(handovers.c.reason).where(handovers.c.company_id == self.company_id).order_by(handovers.c.id)
            )
            return list(rows.scalars())


class _NobodyToBother:
    """The pace of calls to CRMs that are there for this stage alone."""

    async def wait(self, limits: object, *, line: str, company: str, ahead: int) -> None:
        return


class StageDispatch(ApiDispatch):
    """The API channel with the recordings that the stage's clients speak into it."""

    def __init__(self, core: Core, recordings: Mapping[str, bytes]) -> None:
        super().__init__(core.answers)
        self._recordings = recordings

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        if attachment.ref not in self._recordings:
            raise MediaUnavailable(attachment.ref)
        return self._recordings[attachment.ref]


class Stage:
    """Makes scenes. `make_crm`: the local server that plays the CRM, with this business in it."""

    def __init__(
        self,
        core: Core,
        make_crm: Callable[[Business], CRMSandbox],
        recordings: dict[str, bytes],
        stack: AsyncExitStack,
    ) -> None:
        self._core = core
        self._make_crm = make_crm
        self._recordings = recordings
        self._stack = stack

    async def set_scene(self, file: CompanyFile, business: Business) -> Scene:
        """Put a company on the stage: a fresh copy of it, and a fresh copy of its CRM."""
        crm = self._make_crm(business)
        await crm.start()
        self._stack.push_async_callback(crm.stop)
        slug = f"stage-{new_id().hex}"
        agent = replace(file.agent, quiet=timedelta(0))
        # Nobody is rung from a stage.
        branches = tuple(
            replace(one, id=BranchId(new_id()), crm_account_id=None, staff_chat=None) for one in file.branches
        )
        copy = replace(file, slug=slug, agent=agent, branches=branches, crm_type=None)
        company = await create_from_file(self._core.companies, name=file.name, slug=slug, file=copy)
        given = crm.connection()
        await self._core.companies.set_crm(
            company.id,
            given.type,
            options=given.options,
            secrets={name: SecretStr(value) for name, value in given.secrets.items()},
        )
        channel, _ = await self._core.companies.add_channel(
            company.id, ChannelType.API, external_id="stage", name="stage", options={}, secrets={}
        )
        # The worker's sweeps may have looked at the company before its CRM was set.
        self._core.directory.forget(company.id)
        return Scene(core=self._core, company_id=company.id, crm=crm, channel=channel, recordings=self._recordings)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        core: Core,
        *,
        make_crm: Callable[[Business], CRMSandbox],
        model: Model | None = None,
        orchestrate: Orchestrate = build_orchestrator,
    ) -> AsyncIterator[Self]:
        """Run a worker over the stores of `core`. `model` None: the one of its settings."""
        core = replace(core, crm_pace=_NobodyToBother())
        recordings: dict[str, bytes] = {}
        dispatch = {ChannelType.API: StageDispatch(core, recordings)}
        async with (
            AsyncExitStack() as stack,
            open_worker(core, model=model, more=dispatch, orchestrate=orchestrate) as app,
        ):
            working = asyncio.create_task(app.worker.run())
            try:
                yield cls(core, make_crm, recordings, stack)
            finally:
                app.worker.stop()
                await working
