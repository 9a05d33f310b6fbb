"""Telegram's and WhatsApp's webhooks: batches of one client's, each followed by a message that is well-formed."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

from bench.fuzz import recorded
from bench.fuzz.drive import drive
from bench.fuzz.house import SECRET, House, side_by_side
from bench.fuzz.near import Chance, body, put_in
from bench.fuzz.tally import Tally

BATCH = 24
ANSWERED = 10
"""Every so many batches the worker answers what was stored; the others it only reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """A messenger as its own documents have it: how it signs, and what an update is told from others by."""

    name: str
    updates: Sequence[Any]
    message: Callable[[str], Any]
    sign: Callable[[bytes], Mapping[str, str]]
    keys: Callable[[bytes], list[str] | None]
    """The keys under which a body's messages must be stored; None: the body itself is, as nobody's."""


def _telegram_keys(body: bytes) -> list[str] | None:
    update = _read(body)
    id_ = update.get("update_id") if isinstance(update, dict) else None
    # Bot API: update_id is an Integer; nothing says that it may be longer than 64 bits.
    return [str(id_)] if isinstance(id_, int) and abs(id_) < 2**63 else None


def _whatsapp_keys(body: bytes) -> list[str] | None:
    webhook = _read(body)
    found = [id_ for number, id_ in recorded.ids_in(webhook) if number in (None, recorded.PHONE_ID)]
    return [one for one in found if 0 < len(one) <= 128 and one.isprintable() and one.isascii()] or None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


TELEGRAM = Messenger(
    name="telegram",
    updates=recorded.telegram(),
    message=recorded.telegram_message,
    sign=lambda body: {"X-Telegram-Bot-Api-Secret-Token": SECRET},
    keys=_telegram_keys,
)
WHATSAPP = Messenger(
    name="whatsapp",
    updates=recorded.whatsapp(),
    message=recorded.whatsapp_message,
    sign=lambda body: {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()},
    keys=_whatsapp_keys,
)


@dataclass(slots=True)
class Webhook:
    """Plays batches at one messenger's webhook and looks after what they left."""

    house: House
    messenger: Messenger
    tally: Tally
    stored: set[str] = field(default_factory=set)
    batches: int = 0

    async def play(self, chance: Chance) -> None:
        """Post a batch, some of it twice, then a well-formed message, and let the worker work."""
        house, client = self.house, self.house.new_client()
        house.clock.advance(timedelta(seconds=1))
        began = house.clock()
        made = [body(chance, self.messenger.updates) for _ in range(BATCH)]
        sent = [put_in(one, client=client, number=house.new_number()) for one in made]
        statuses = await side_by_side([self._post(one) for one in sent])
        await side_by_side([self._post(one) for one in sent if chance.one_in(4)])
        number = house.new_number()
        words = put_in(json.dumps(self.messenger.message("Здравствуйте")).encode(), client=client, number=number)
        status = await self._post(words)
        self.tally.inputs += len(sent)
        taken = [one for one, answered in zip(sent, statuses, strict=True) if answered == 200]
        self.batches += 1
        await (house.settle() if self.batches % ANSWERED == 1 else house.skim())
        rows, held = await house.stored_since(house.doors[self.messenger.name].channel, began)
        self._look_for(taken, rows)
        self._look_after(number, status, rows, of=[one[:400] for one in sent])
        if held:
            self.tally.stick("a dialogue is still held", of=[one[:400] for one in sent])

    async def _post(self, body: bytes) -> int:
        door = self.house.doors[self.messenger.name]
        path = f"/v1/{self.messenger.name}/webhook/{door.token}"
        status, _ = await self.house.post(path, body, self.messenger.sign(body))
        if status >= 500:
            self.tally.server_error(str(status), of=body[:1500])
        return status

    def _look_for(self, taken: Sequence[bytes], rows: Sequence[Any]) -> None:
        """Every message that was taken stands there, once, however often it came."""
        keys = [row["update_key"] for row in rows]
        doubled = [key for key in {*keys} if keys.count(key) > 1 or key in self.stored]
        for key in doubled:
            self.tally.lose("stored twice", of=key)
        self.stored.update(keys)
        payloads = {bytes(row["payload"]) for row in rows}
        for one in taken:
            wanted = self.messenger.keys(one)
            if wanted is not None:
                for key in wanted:
                    if key not in self.stored:
                        self.tally.lose("not stored", of=one[:1500])
            elif one in payloads:
                self.stored.add(_digest(one))
            elif _digest(one) not in self.stored and not self._is_taken_apart(one):
                self.tally.lose("not kept aside", of=one[:1500])

    def _is_taken_apart(self, body: bytes) -> bool:
        """Say whether the body was taken apart, so that it need not stand there as it came."""
        return self.messenger is WHATSAPP and isinstance(_read(body), dict)

    def _look_after(self, number: int, status: int, rows: Sequence[Any], *, of: object) -> None:
        """The client's well-formed message was taken, and worked on."""
        for failure in self.house.take_failures():
            self.tally.stick("the worker fails", of=failure)
        mine = [row for row in rows if row["update_key"].endswith(str(number))]
        if status != 200 or len(mine) != 1:
            self.tally.stick(f"a message after it is not taken: {status}", of=of)
        elif mine[0]["done_at"] is None:
            self.tally.stick("a message after it is not worked on", of=of)


def _digest(body: bytes) -> str:
    return f"body:{sha256(body).hexdigest()}"


async def fuzz_messenger(house: House, messenger: Messenger, *, inputs: int, seed: int) -> Tally:
    """Play about so many inputs at a messenger's webhook."""
    tally, began = Tally(target=f"{messenger.name} webhook"), time.monotonic()
    play = Webhook(house, messenger, tally).play
    await drive(play, count=max(1, inputs // BATCH), seed=seed)
    tally.seconds = time.monotonic() - began
    return tally
