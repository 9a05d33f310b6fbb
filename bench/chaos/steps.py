"""The steps of a message's way, and how they are watched: wrappers that a forked process puts round the real functions.

Nothing in the product knows of this. A function that was renamed makes the run stop at its start, by name.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.chaos.board import Board

IDLE = "wait for the bell"
GATEWAY, WORKER, POSTGRES, REDIS = "gateway", "worker", "postgres", "redis"


@dataclass(frozen=True, slots=True)
class Step:
    """`place` is `module:Class.function`; `touches` names the processes whose death can hit this step.

    `grave`: something is being written, here or at a vendor; a death there is the hardest to come back from.
    """

    name: str
    place: str
    touches: frozenset[str]
    grave: bool


def _step(name: str, place: str, *touches: str, grave: bool = False) -> Step:
    return Step(name, place, frozenset(touches), grave)


STEPS = (
    _step("webhook", "handlers.webhooks:Webhooks._accept", GATEWAY),
    _step("intake: admit", "db.intake:Intake._admit", GATEWAY, REDIS),
    _step("intake: store", "db.intake:Intake._insert", GATEWAY, POSTGRES, grave=True),
    _step("ring the bell", "db.doorbell:Doorbell.ring", GATEWAY, WORKER, REDIS),
    _step(IDLE, "db.doorbell:Doorbell.wait", WORKER, REDIS),
    _step("claim", "db.work:Work.claim", WORKER, POSTGRES),
    _step("renew", "db.work:Work.renew", WORKER, POSTGRES),
    _step("give back", "db.work:Work.release", WORKER, POSTGRES, grave=True),
    _step("read", "bot.turn_job:TurnJob._read", WORKER, POSTGRES),
    _step("read redis copy", "db.dialogue_state:DialogueStates._read", WORKER, REDIS),
    _step("feed", "bot.turn_job:TurnJob._feed", WORKER),
    _step("typing", "handlers.telegram.dispatch:TelegramDispatch.show_typing", WORKER),
    _step("model call", "orchestration.model_service:ModelService.generate", WORKER),
    _step("tool call", "orchestration.tools.manager:ToolManager.call", WORKER),
    _step("record intent", "bot.records_of_writes:CommittedIntents.record", WORKER, POSTGRES, grave=True),
    _step("check price", "orchestration.booking:BookingDesk._still_as_shown", WORKER),
    _step("mark called", "bot.records_of_writes:CommittedIntents.mark_called", WORKER, POSTGRES, grave=True),
    _step("CRM write", "crm.yclients.adapter:YclientsAdapter.create_appointment", WORKER, grave=True),
    _step("CRM look-up", "crm.yclients.adapter:YclientsAdapter.find_appointment", WORKER, grave=True),
    _step("mark done", "bot.records_of_writes:CommittedIntents.mark_done", WORKER, POSTGRES, grave=True),
    _step("mark refused", "bot.records_of_writes:CommittedIntents.mark_refused", WORKER, POSTGRES, grave=True),
    _step("commit", "bot.turn_commit:TurnCommit.turn", WORKER, POSTGRES, grave=True),
    _step("write redis copy", "db.dialogue_state:DialogueStates.copy", WORKER, REDIS, grave=True),
    _step("read replies", "db.outbox:Outbox.list_waiting", WORKER, POSTGRES),
    _step("send", "aiogram:Bot.send_message", WORKER, grave=True),
    _step("mark part sent", "db.outbox:Outbox.mark_part_sent", WORKER, POSTGRES, grave=True),
    _step("mark sent", "db.outbox:Outbox.mark_sent", WORKER, POSTGRES, grave=True),
)
_CLAIM = "db.work:Work.claim"
_CLAIM_ENDS = "bot.lane:Lane._work_on"

Function = Callable[..., Awaitable[Any]]


def observe(board: Board, seat: int, events: Path) -> None:
    """Watch this process's steps from now on, and write down its claims and their ends."""
    for index, step in enumerate(STEPS):
        _replace(step.place, functools.partial(_counted, board, seat, index))
    # One write call a line: what was written is kept by the kernel, however this process ends.
    file = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    _replace(_CLAIM, functools.partial(_claims_noted, file))
    _replace(_CLAIM_ENDS, functools.partial(_ends_noted, file))


def _replace(place: str, wrap: Callable[[Function], Function]) -> None:
    module, _, path = place.partition(":")
    owner_name, _, name = path.partition(".")
    owner = getattr(import_module(module), owner_name)
    original = owner.__dict__.get(name)
    if original is None:
        raise LookupError(f"there is no {place}: bench/chaos/steps.py names a step that has moved")
    setattr(owner, name, wrap(original))


def _counted(board: Board, seat: int, index: int, original: Function) -> Function:
    @functools.wraps(original)
    async def counted(*arguments: Any, **named: Any) -> Any:
        board.enter(seat, index)
        try:
            return await original(*arguments, **named)
        finally:
            board.leave(seat, index)

    return counted


def _claims_noted(file: int, original: Function) -> Function:
    @functools.wraps(original)
    async def noted(*arguments: Any, **named: Any) -> Any:
        claims = await original(*arguments, **named)
        for claim in claims:
            _note(file, "claim", claim)
        return claims

    return noted


def _ends_noted(file: int, original: Function) -> Function:
    @functools.wraps(original)
    async def noted(worker: Any, claim: Any) -> Any:
        try:
            return await original(worker, claim)
        finally:
            _note(file, "end", claim)

    return noted


def _note(file: int, what: str, claim: Any) -> None:
    line = f"{time.monotonic():.6f} {os.getpid()} {what} {claim.dialogue_id}:{claim.kind} {claim.lost_leases}\n"
    os.write(file, line.encode())
