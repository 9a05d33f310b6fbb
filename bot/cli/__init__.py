"""The command line: parse, call, print. One file per noun; errors on stderr with exit code 1, wrong usage 2."""

from __future__ import annotations

import sys

import typer

from bot.cli import (
    agent,
    audit,
    call,
    channel,
    client,
    company,
    crm,
    dead,
    dialogue,
    evaluate,
    keys,
    ops,
    run,
    staff,
    staff_link,
    stats,
)
from bot.cli.output import fail
from bot.settings import SettingsError
from crm.errors import CRMError
from db.embedded import EmbeddedServersError
from db.errors import DBError

app = typer.Typer(
    name="ai-admin",
    help="A front-desk administrator for many businesses: channels, CRMs and dialogues of every company.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local values would print secrets.
    pretty_exceptions_enable=False,
)
run.register(app)
dialogue.register(app)
call.register(app)
evaluate.register(app)
stats.register(app)
app.add_typer(company.app, name="company", help="Companies: create, show, export, import.")
app.add_typer(agent.app, name="agent", help="How a company's agent presents it and behaves.")
app.add_typer(channel.app, name="channel", help="A company's bots and numbers.")
app.add_typer(client.app, name="client", help="One client's personal data: export, erase, acts.")
app.add_typer(crm.app, name="crm", help="A company's CRM.")
staff_link.register(staff.app)
app.add_typer(staff.app, name="staff", help="A company's staff: enrol, list, remove, and their way into the console.")
app.add_typer(ops.db, name="db", help="The database's schema.")
app.add_typer(keys.app, name="keys", help="The keys that encrypt secrets.")
app.add_typer(audit.app, name="audit", help="What admins and staff did.")
app.add_typer(dead.app, name="dead", help="Updates that could not be processed.")


def main() -> None:
    """Run the command line; every foreseen failure is one clear line."""
    try:
        app()
    except (SettingsError, DBError, EmbeddedServersError, CRMError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
