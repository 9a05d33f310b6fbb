"""The keys that encrypt secrets: make one, change to one, see what is still under which, wrap them by a Vault."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from bot.app import Core
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import run_async, settings_with_logs, with_core
from bot.keys import open_kms
from db.crypto import new_key, new_master_key, parse_entries
from db.key_rotation import KeyRotation, KeyStatus, Rotated
from db.kms import wrap_entries

app = typer.Typer(no_args_is_help=True)


@app.command()
def new(
    wrapped: Annotated[bool, typer.Option("--wrapped", help="Wrap it by the Vault of the settings.")] = False,
) -> None:
    """Print a new master key for AI_ADMIN_MASTER_KEYS."""
    if not wrapped:
        say(new_master_key())
        return

    async def act() -> str:
        async with open_kms(settings_with_logs()) as kms:
            return await wrap_entries([new_key()], kms)

    say(run_async(act()))


@app.command()
def wrap() -> None:
    """Print AI_ADMIN_MASTER_KEYS with every key wrapped under the newest version of the Vault's key."""
    settings = settings_with_logs()
    if settings.master_keys is None:
        fail("AI_ADMIN_MASTER_KEYS is not set: there is nothing to wrap")
    entries = parse_entries(settings.master_keys.get_secret_value())

    async def act() -> str:
        async with open_kms(settings) as kms:
            return await wrap_entries(entries, kms)

    say(run_async(act()))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Count the ciphertexts by key and table, and say which keys may be removed. Exit code 1 where a key is missing."""

    async def read(core: Core) -> KeyStatus:
        return await _rotation(core).status()

    found = with_core(read)
    rows = [
        {"key": key_id, "column": column, "rows": count, "in_ring": key_id in found.ring}
        for (key_id, column), count in sorted(found.rows.items())
    ]
    if as_json:
        told = {
            "first": found.current,
            "ring": list(found.ring),
            "rows": rows,
            "removable": list(found.removable),
            "missing": list(found.missing),
        }
        show(told, as_json=True)
    else:
        show(rows, as_json=False)
        for line in _advice(found):
            say(line)
    if found.missing:
        raise typer.Exit(1)


@app.command()
def rotate(
    rows_a_step: Annotated[int, typer.Option(min=1, max=1000, help="Rows of one transaction.")] = 50,
    pause: Annotated[float, typer.Option(min=0, max=60, help="Seconds between two steps.")] = 0.02,
    as_json: AsJson = False,
) -> None:
    """Encrypt every secret anew under the first key, beside everything that runs. May be broken off and begun again."""

    async def breathe(_: Rotated) -> None:
        await asyncio.sleep(pause)

    async def act(core: Core) -> tuple[Rotated, KeyStatus]:
        rotation = _rotation(core, rows_a_step)
        return await rotation.rotate(breathe), await rotation.status()

    done, found = with_core(act)
    if as_json:
        show({"first": found.current, "changed": done.changed, "faults": done.faults}, as_json=True)
    else:
        say(f"{done.changed} rows were encrypted anew under {found.current}")
        for line in _advice(found):
            say(line)
    if done.faults:
        fail("these did not open and stay as they are:\n" + "\n".join(done.faults))


def _rotation(core: Core, rows_a_step: int = 50) -> KeyRotation:
    return KeyRotation(core.database, core.keys, core.audit, core.companies.tell, rows_a_step=rows_a_step)


def _advice(found: KeyStatus) -> list[str]:
    """Say what may be done with each key of the ring."""
    left: dict[str, Any] = {}
    for (key_id, _), count in found.rows.items():
        left[key_id] = left.get(key_id, 0) + count
    lines = [f"{found.current} encrypts"]
    for key_id in found.ring:
        if key_id == found.current:
            continue
        if key_id in found.removable:
            lines.append(
                f"{key_id} is needed by no row: it may be removed once every process has {found.current} first"
                " (backups of the database need it as long as they are kept)"
            )
        else:
            lines.append(f"{key_id} must stay: {left[key_id]} rows are under it; `ai-admin keys rotate` changes them")
    lines += [
        f"{key_id or 'no key'}: {left[key_id]} rows are under it, and it is not there" for key_id in found.missing
    ]
    return lines
