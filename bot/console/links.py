"""The link that opens the console: made for a member of the staff, told in the company's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.audit import Action, Actor, AuditTrail
from db.console import LINK_LASTS, ConsoleDoors, Token
from db.engine import Transaction
from db.errors import NotFound
from db.staff import StaffMember
from locales import Translator
from orchestration.ports import Clock

if TYPE_CHECKING:
    from bot.settings import Settings

HOME = "/console"


class ConsoleLinks:
    """`address`: where the console is reached from outside (`console_address`)."""

    def __init__(self, address: str, audit: AuditTrail, clock: Clock) -> None:
        self._address = address
        self._audit = audit
        self._clock = clock

    async def make(self, tx: Transaction, member: StaffMember, *, actor: Actor | None = None) -> str:
        """Return a link that lets this member in, once, within ten minutes; one made before opens nothing any more.

        Within the caller's transaction. `actor`: who asked for it, where it is not whoever runs this process. Raises
        NotFound for somebody who is not enrolled (any more).
        """
        if member.enrolled_at is None or member.dismissed_at is not None:
            raise NotFound(f"{member.name} is not enrolled")
        token = await ConsoleDoors().make_link(tx, member.id, now=self._clock())
        await self._audit.record(tx, Action.CONSOLE_LINK, subject=f"staff {member.id}", actor=actor)
        return self.url(token)

    def url(self, token: Token) -> str:
        return f"{self._address}/enter/{token}"


def console_address(settings: Settings) -> str:
    """Return where staff reach the console: at the public address, in development at the gateway's own."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.public_url or f'http://{host}:{settings.port}'}{HOME}"


def link_text(texts: Translator, url: str) -> str:
    """Return what a bot tells with the link, for the member's private chat alone."""
    return texts.text("console-link", url=url, minutes=round(LINK_LASTS.total_seconds() / 60))
