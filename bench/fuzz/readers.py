"""What reads bodies without a socket or a database, and what each promises of any bytes at all.

Each `check` raises where a promise is broken: for Hypothesis, and for atheris, which follows the code's branches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bench.fuzz import recorded
from bench.fuzz.drive import drive
from bench.fuzz.near import Chance, body, encoded, form
from bench.fuzz.tally import Tally
from bot.company_file import CompanyFileErrors, parse_company_file
from bot.company_writing import write_company_file
from crm.base import Hook
from crm.bitrix24.events import BOOKINGS, DEALS, read_event
from crm.errors import CRMAuthFailed, CRMInvalid
from crm.one_c.service.hook import HEADER, read_notice
from crm.yclients.changes import records_told
from db.records import Accepted
from handlers.base import ChannelIntake
from handlers.telegram.intake import TelegramIntake
from handlers.voice import frames
from handlers.whatsapp.intake import WhatsAppIntake

BATCH = 50
LONGEST_KEY = 600
"""A key stands in an index, whose rows PostgreSQL bounds at 2704 bytes."""
_SECRET = SecretStr("t" * 32)


class Broken(Exception):
    """A promise was not kept."""


def check_intake(intake: ChannelIntake, given: bytes) -> None:
    """An intake never raises, takes something of everything, and names it by keys that the database takes."""
    accepted = intake.accept(given)
    if not accepted:
        raise Broken("nothing was taken")
    if [_named(one) for one in accepted] != [_named(one) for one in intake.accept(given)]:
        raise Broken("the same body has other keys the second time")
    for one in accepted:
        for key in (one.update_key, one.dialogue_key, one.address or "-"):
            if not key or "\x00" in key or len(key.encode()) > LONGEST_KEY * 4:
                raise Broken(f"a key that no database takes: {key[:100]!r}")


def _named(one: Accepted) -> tuple[str, str]:
    return one.update_key, one.dialogue_key


def check_frame(given: bytes) -> None:
    """A frame is read, or is none."""
    frames.read(given.decode(errors="replace"))


def check_hook(given: bytes) -> None:
    """A CRM's hint names records, or is refused as none; their names stand in a query."""
    for read in _HOOK_READERS:
        try:
            told = read(Hook(content_type="", body=given, headers={HEADER: _SECRET.get_secret_value()}))
        except (CRMInvalid, CRMAuthFailed):
            continue
        if any("\x00" in record or not record.isascii() for record in told):
            raise Broken(f"a record that no database takes: {told!r}")


_HOOK_READERS: Sequence[Callable[[Hook], Sequence[str]]] = (
    lambda hook: records_told(hook, company_id="1"),
    lambda hook: read_event(hook, about=BOOKINGS, token=None),
    lambda hook: read_event(hook, about=DEALS, token=_SECRET),
    lambda hook: read_notice(hook, _SECRET),
)


def check_company_file(given: bytes) -> None:
    """A company's file is refused with its faults, or says what is written again to the byte."""
    text = given.decode(errors="replace")
    try:
        file = parse_company_file(text)
    except CompanyFileErrors as error:
        if not error.faults or any(line < 1 for line, _ in error.faults):
            raise Broken(f"faults without a line: {error.faults!r}") from error
        return
    written = write_company_file(file)
    try:
        again = write_company_file(parse_company_file(written))
    except CompanyFileErrors as error:
        raise Broken(f"what was written is refused: {error}: {written}") from error
    if again != written:
        raise Broken(f"written otherwise the second time: {written!r}, {again!r}")


CHECKS: Mapping[str, Callable[[bytes], None]] = {
    "telegram": lambda given: check_intake(TelegramIntake(), given),
    "whatsapp": lambda given: check_intake(WhatsAppIntake(), given),
    "frames": check_frame,
    "hooks": check_hook,
    "company-file": check_company_file,
}


def written_file(chance: Chance) -> bytes:
    """Return the example's file, changed in its lines and letters."""
    lines = chance.of(_FILES).split("\n")
    for _ in range(chance.of((0, 1, 1, 1, 2, 3, 5))):
        place = chance.random.randrange(len(lines))
        name, _, _ = lines[place].partition(":")
        value = str(chance.of(chance.values if chance.one_in(2) else _VALUES))
        match chance.of(("value", "value", "drop", "again", "deeper", "cut", "more")):
            case "value":
                lines[place] = f"{name}: {value}"
            case "drop":
                del lines[place]
            case "again":
                lines.insert(place, lines[chance.random.randrange(len(lines))])
            case "deeper":
                lines[place] = f"  {lines[place]}"
            case "cut":
                lines[place] = lines[place][: chance.random.randint(0, len(lines[place]))]
            case _:
                lines.insert(place, f"{chance.of(_NAMES)}: {value}")
        lines = lines or [""]
    text = "\n".join(lines).encode(errors="replace")
    return text[: chance.random.randint(0, len(text))] if chance.one_in(30) else text


_NAMES = ("name", "slug", "branches", "hours", "services", "price", "crm", "channels", "budget", "policies", "<<", "x")
_VALUES = (
    "", "null", "~", "[]", "{}", "[a, b]", "{a: b}", "&a [*a]", "*a", "!!python/object:x", "!x y", "|\n  text",
    ">\n  t", "'", '"', "0", "-1", "1e400", ".inf", ".nan", "0x1F", "1800-2200", "2200-1800", "1" * 400, "true", "yes",
    "2026-13-01", "25:00", "Europe", "../etc", "Europe/Moscow", "mon-fri: 9:00-21:00", "{mon: 9:00-24:00}", "# x",
    "? x", "- x", "%YAML", "---", "...", "\t", "\x00", "\x85", "\u2028", "\ufeff", "\U0001f600", "а" * 5000, "kk",
    "XYZ", "telegram", "yclients", '"a\\0b"', '"a\\0b"', '"\\ud83d"', '"\\x00"', '"\\x7f\\x85"', "@", "`",
    "{mon: 24:00-24:00}", "{exceptions: {2026-02-30: closed}}", "٣", "1_000", "0.001", "99999999999999999999",
)  # fmt: skip
_BRANCHED = """name: Сеть
branches:
  - key: one
    name: Первый
    address: А
    hours: {mon-fri: "9:00-13:00, 14:00-18:00", exceptions: {2026-12-31: closed}}
  - key: two
    name: Второй
    time_zone: Asia/Yekaterinburg
services:
  - name: Стрижка
    price: 1800-2200
    duration: 60
    ask_before: [Был ли ожог?]
    overrides:
      - {branch: one, master: Анна, price: 2000, duration: 45}
  - {name: Окрашивание, booking: link, link: "https://example.com/a"}
quiet_seconds: 1.5
longest_gap_minutes: 0
budget: {soft: 5, hard: 10.5}
instructions: |
  Будь краток.
  Никогда не спорь.
channels: [telegram, whatsapp, voice, api]
crm: {type: bitrix24, portal: https://x.example}
"""
_FILES = (recorded.COMPANY_FILE, _BRANCHED)


def _frame(chance: Chance) -> bytes:
    return body(chance, recorded.frames())


def _hook(chance: Chance) -> bytes:
    return encoded(form(chance, recorded.hook_forms())) if chance.one_in(2) else body(chance, recorded.hooks())


_MAKERS: Mapping[str, Callable[[Chance], bytes]] = {
    "telegram": lambda chance: body(chance, recorded.telegram()),
    "whatsapp": lambda chance: body(chance, recorded.whatsapp()),
    "frames": _frame,
    "hooks": _hook,
    "company-file": written_file,
}


def seeds(name: str) -> list[bytes]:
    """Return what a reader is used to, for a fuzzer to begin with."""
    chance = Chance(name, [None], [""])
    return [_MAKERS[name](chance) for _ in range(200)]


async def fuzz_reader(name: str, *, inputs: int, seed: int) -> Tally:
    """Give a reader so many inputs near to what it is used to."""
    tally, began = Tally(target=f"reads: {name}"), time.monotonic()

    async def play(chance: Chance) -> None:
        for _ in range(BATCH):
            given = _MAKERS[name](chance)
            tally.inputs += 1
            _try(CHECKS[name], given, tally)

    await drive(play, count=max(1, inputs // BATCH), seed=seed)
    tally.seconds = time.monotonic() - began
    return tally


def _try(check: Callable[[bytes], Any], given: bytes, tally: Tally) -> None:
    try:
        check(given)
    except Exception as error:
        tally.server_error(f"{type(error).__name__}: {error}"[:500], of=given[:1500])
