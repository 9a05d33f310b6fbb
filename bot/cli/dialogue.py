"""Talking to a company's agent in the terminal, and looking at dialogues."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from bot.cli.company import CompanyArgument
from bot.cli.output import AsJson, fail, say, show
from bot.cli.session import company_id_of, run_async, settings_with_logs, with_core

one = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Put these commands on the top level."""
    app.command()(chat)
    app.command()(dialogues)
    app.add_typer(one, name="dialogue", help="One dialogue.")


@one.command("show")
def show_(
    dialogue_id: Annotated[str, typer.Argument(metavar="ID", help="The dialogue's id, from `dialogues COMPANY`.")],
    turns: Annotated[int, typer.Option(min=1, max=200, help="How many of the last turns.")] = 20,
    prompt: Annotated[bool, typer.Option("--prompt", help="The whole prompt too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replay a dialogue: the client's words, what the model called and was answered, the reply, the prompt."""
    from uuid import UUID

    from bot.app import Core
    from bot.replay import replay
    from db.records import DialogueId

    try:
        wanted = DialogueId(UUID(dialogue_id))
    except ValueError:
        fail(f"{dialogue_id!r} is not a dialogue's id; `ai-admin dialogues COMPANY` shows them")

    async def read(core: Core) -> Mapping[str, Any]:
        return await replay(core, wanted, turns=turns)

    told = with_core(read)
    if as_json:
        show(told, as_json=True)
        return
    for line in _lines(told, prompt=prompt):
        say(line)


def _lines(told: Mapping[str, Any], *, prompt: bool) -> Iterator[str]:
    yield f"{told['company']}: {told['client'] or '—'} (in charge: {told['in_charge']})"
    for turn in told["turns"]:
        yield f"\n{turn['at']:%Y-%m-%d %H:%M:%S}  turn {turn['turn']}"
        yield _block("client", turn["client"])
        for call in turn["calls"]:
            arguments = json.dumps(call["arguments"], ensure_ascii=False, default=str)
            yield f"  call    {call['tool']} {arguments} -> {call['outcome']}, {call['took_ms']} ms"
        for result in turn["results"]:
            yield _block("result", f"{result['tool']} {json.dumps(result['result'], ensure_ascii=False, default=str)}")
        yield _block("reply", turn["reply"] or "—")
        if turn["model"]:
            yield f"  by      {turn['model']}, prompt {turn['prompt_version']}"
    told_of = told["prompt"]
    changed = {None: "no model has answered yet", True: "unchanged since", False: "changed since"}
    yield f"\nprompt {told_of['version_now']} ({changed[told_of['unchanged_since']]})"
    if prompt:
        yield told_of["text"]


def _block(name: str, text: str) -> str:
    first, *rest = text.splitlines() or [""]
    return "\n".join([f"  {name:<7} {first}", *(f"          {line}" for line in rest)])


def chat(
    company: CompanyArgument,
    phone: Annotated[str | None, typer.Option(help="Speak as a client whose phone is proved.")] = None,
    name: Annotated[str, typer.Option(help="The client's name.")] = "Гость",
) -> None:
    """Talk to the company's agent, as a client would. An empty line or Ctrl-D ends it."""
    import logging

    from bot.terminal import converse

    settings = settings_with_logs(level=logging.ERROR)
    run_async(converse(settings, company, name=name, phone=phone))


def dialogues(
    company: CompanyArgument,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that wait for a person.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a company's dialogues, the latest first."""
    from bot.app import Core
    from db.dialogues import Dialogues

    async def read(core: Core) -> list[dict[str, object]]:
        async with core.database.reading(await company_id_of(core, company)) as tx:
            found = await Dialogues().list_dialogues(tx, open_only=open_only)
        return [
            {
                "id": str(one.id),
                "client": one.client_name,
                "in_charge": one.in_charge.value,
                "last": one.last_message_at,
                "unreachable": one.unreachable_at,
            }
            for one in found
        ]

    show(with_core(read), as_json=as_json)
