"""Printing: a table or JSON on stdout, one clear line on stderr, secrets never."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    """Print a line for the person at the terminal."""
    typer.echo(text)


def fail(text: str) -> NoReturn:
    """Print the error on stderr and leave with exit code 1."""
    typer.echo(f"ai-admin: {text}", err=True)
    sys.exit(1)


def show(value: Any, *, as_json: bool) -> None:
    """Print a record, or a list of them, for a person or for a script."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    elif isinstance(value, Mapping):
        width = max((len(str(name)) for name in value), default=0)
        for name, field in value.items():
            typer.echo(f"{name:<{width}}  {_cell(field)}")
    else:
        show_table(value)


def show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows of equal shape as a table."""
    if not rows:
        typer.echo("none")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(soft_wrap=True).print(table)


def ask_secret(title: str) -> SecretStr:
    """Take a secret from the prompt, or from stdin where that is no terminal; never from an argument."""
    value = ask_secret_if_any(title)
    if value is None:
        fail(f"{title}: nothing was given. It is asked for, or read as one line from stdin.")
    return value


def ask_secret_if_any(title: str) -> SecretStr | None:
    """Take a secret that may be left out: an empty line gives None."""
    if sys.stdin.isatty():
        given = typer.prompt(title, hide_input=True, default="", show_default=False)
    else:
        given = sys.stdin.readline()
    value = str(given).strip()
    return SecretStr(value) if value else None


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
