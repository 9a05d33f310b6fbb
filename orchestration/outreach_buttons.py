"""The buttons under what goes out unasked, on their way: the waiting list, the visit's stars, being invited, stop."""

from __future__ import annotations

from orchestration.after_visit import INVITE, RATE, STOP, AfterVisit, stop
from orchestration.turns import Turn
from orchestration.waiting_desk import WaitingDesk
from orchestration.waiting_list import WAIT

VERBS = frozenset({WAIT, RATE, INVITE, STOP})


class OutreachButtons:
    def __init__(self, waiting: WaitingDesk, after: AfterVisit) -> None:
        self._waiting = waiting
        self._after = after

    async def press(self, turn: Turn, verb: str, rest: str) -> None:
        """Act on a press of one of VERBS."""
        match verb:
            case _ if verb == WAIT:
                await self._waiting.press(turn, rest)
            case _ if verb == RATE:
                await self._after.rate(turn, rest)
            case _ if verb == INVITE:
                await self._after.invite(turn, rest)
            case _:
                stop(turn)

    async def hear(self, turn: Turn) -> bool:
        """Take words as an answer to what was asked after a visit; say whether they were one."""
        return await self._after.hear(turn)
