"""/console: the link that lets a member into the web console, told in private alone."""

from __future__ import annotations

from bot.console.links import ConsoleLinks, link_text
from bot.staff_ask import StaffAnswer, StaffAsk


class StaffConsole:
    def __init__(self, links: ConsoleLinks) -> None:
        self._links = links

    async def tell(self, ask: StaffAsk) -> StaffAnswer:
        """Answer with a link in the member's own chat with the bot; in a group others would read it."""
        if not ask.word.private:
            return StaffAnswer(text=ask.texts.text("console-link-in-private"))
        url = await self._links.make(ask.tx, ask.member, actor=ask.actor)
        return StaffAnswer(text=link_text(ask.texts, url))
