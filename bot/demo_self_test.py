"""The demo's self test: one booking over the real webhooks, and a second client who comes too late for that time."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import typer

from bot.demo_phones import Heard, Phone
from sandbox.staff_side import CRMSandbox, double_bookings

_TIME = re.compile(r"\b([01]?\d|2[0-3]):[0-5]\d\b")


class SelfTestFailed(Exception):
    """The conversation did not go as it must; the message says where."""


@dataclass(slots=True, kw_only=True)
class SelfTest:
    """Plays two clients of the demo's company."""

    first: Phone
    late: Phone
    crm: CRMSandbox
    hear_staff: Callable[[], Awaitable[str]]

    async def run(self, *, by_link: bool = False) -> bool:
        """Hold the conversation, print it, and say whether it ended as it must.

        The appointment stands and a second try for its time was refused; `by_link`: the client was given the booking
        page, and staff the wish.
        """
        try:
            if by_link:
                return await self._ask_for_the_page()
            chosen = await self._reach_proposal(self.first, None)
            await self._reach_proposal(self.late, chosen)
            await self._confirm(self.first, expected="Готово, вы записаны")
            self._check_crm()
            sorry = await self._confirm(self.late, expected="это время только что заняли")
            self._check_crm()
            if len(_TIME.findall(sorry.text)) < 2:
                raise SelfTestFailed(f"no other times were offered: {sorry.text}")
        except (SelfTestFailed, LookupError, TimeoutError) as error:
            typer.echo(f"\nSELF TEST FAILED: {error}", err=True)
            return False
        said = self.first.count() + self.late.count()
        typer.echo(
            f"\nSELF TEST OK: {said} messages, 1 appointment in the CRM, the second try was refused with other times"
        )
        return True

    async def _ask_for_the_page(self) -> bool:
        await self.first.say("Хочу постричься")
        answer = await self.first.say("Женская стрижка, завтра после обеда")
        if "https://" not in answer.text:
            raise SelfTestFailed(f"no booking page in: {answer.text}")
        notice = await self.hear_staff()
        typer.echo(f"    to the staff: {notice}")
        if self.first.name not in notice or "Стрижка женская" not in notice:
            raise SelfTestFailed(f"staff were not told of the wish: {notice}")
        if self.crm.list_visits():
            raise SelfTestFailed("nothing should have been booked")
        typer.echo(f"\nSELF TEST OK: {self.first.count()} messages, the booking page was given, staff were told")
        return True

    async def _reach_proposal(self, phone: Phone, wanted: str | None) -> str:
        """Talk until the proposal is shown; return the time that was chosen."""
        await phone.say("Хочу постричься завтра после обеда")
        answer = await phone.say("Женская стрижка, мастер Анна Смирнова")
        times = [found.group() for found in _TIME.finditer(answer.text)]
        if not times:
            raise SelfTestFailed(f"no free times in: {answer.text}")
        chosen = wanted or times[-1]
        answer = await phone.say(f"Давайте в {chosen}")
        if not answer.buttons:
            # WhatsApp vouches for the number from the start; in Telegram it has to be shared.
            answer = await phone.share_number()
        if not answer.buttons:
            raise SelfTestFailed(f"no proposal with buttons: {answer.text}")
        return chosen

    async def _confirm(self, phone: Phone, *, expected: str) -> Heard:
        answer = await phone.press("Да")
        if expected not in answer.text:
            raise SelfTestFailed(f"expected {expected!r}, got: {answer.text}")
        return answer

    def _check_crm(self) -> None:
        visits = [visit for visit in self.crm.list_visits() if not visit.cancelled]
        mine = [visit for visit in visits if _digits(visit.phone) == _digits(self.first.number)]
        if len(visits) != 1 or len(mine) != 1:
            raise SelfTestFailed(f"the CRM should hold exactly one appointment of {self.first.name}: {visits}")
        if double_bookings(self.crm):
            raise SelfTestFailed("the CRM holds a double booking")


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
