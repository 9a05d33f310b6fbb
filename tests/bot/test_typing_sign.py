"""The client sees that an answer is being written for as long as it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.typing_sign import showing_typing


class Messenger:
    """Counts the signs; `seen` is set at the third."""

    def __init__(self, lasts):
        self.typing_lasts, self.shown, self.seen = lasts, 0, asyncio.Event()

    async def show_typing(self, channel, dialogue, message):
        self.shown += 1
        if self.shown == 3:
            self.seen.set()


async def test_a_sign_that_fades_is_shown_again_until_the_answer_is_there():
    messenger = Messenger(timedelta(milliseconds=5))

    async with asyncio.timeout(10), showing_typing(messenger, None, None, None):
        await messenger.seen.wait()
    shown = messenger.shown
    await asyncio.sleep(0)

    assert messenger.shown == shown


async def test_one_that_stands_is_shown_once():
    messenger = Messenger(None)

    async with showing_typing(messenger, None, None, None):
        pass

    assert messenger.shown == 1
