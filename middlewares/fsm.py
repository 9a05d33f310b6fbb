"""aiogram's FSM storage over the turn's own state: read at the claim, written with the turn's one commit.

Nothing is written while handlers run, so that an update handled again starts from the state it started from before.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from db.records import DialogueState


@dataclass(slots=True)
class StateBuffer:
    """The state of the dialogue that is being served, as it will be committed."""

    state: DialogueState


current_state: ContextVar[StateBuffer] = ContextVar("current_state")
"""Set by the worker round the feeding of a dialogue's updates; a dialogue is served by one task at a time."""


class TurnStorage(BaseStorage):
    """What handlers see as FSMContext. The key is not consulted: the buffer is the claimed dialogue's own, so another
    bot's or company's state cannot be reached through it."""

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        name = state.state if isinstance(state, State) else state
        buffer = current_state.get()
        buffer.state = replace(buffer.state, state=name)

    async def get_state(self, key: StorageKey) -> str | None:
        return current_state.get().state.state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        buffer = current_state.get()
        buffer.state = replace(buffer.state, data=dict(data))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return dict(current_state.get().state.data)

    async def close(self) -> None:
        """Nothing is held."""
