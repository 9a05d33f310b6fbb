"""What happened in a dialogue, turn by turn: the client's words, what the model called and was answered, the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from bot.app import Core
from db.dialogues import Dialogues
from db.errors import NotFound
from db.records import Author, Company, Dialogue, DialogueId, HistoryMessage, ToolCallRecord
from orchestration.ports import Content, ResultPart
from orchestration.prompts import ClientFacts, PromptManager

_MESSAGES_A_TURN = 4


async def replay(core: Core, dialogue_id: DialogueId, *, turns: int) -> Mapping[str, Any]:
    """Return the dialogue's last turns as records. Raises NotFound."""
    company, dialogue = await _find(core, dialogue_id)
    async with core.database.reading(company.id) as tx:
        messages = await Dialogues().list_recent_messages(tx, [dialogue_id], limit=turns * _MESSAGES_A_TURN)
        by_turn = _by_turn(messages, turns)
        calls = await Dialogues().list_tool_calls(tx, list(by_turn))
    told = [_turn(turn_id, said, [one for one in calls if one.turn_id == turn_id]) for turn_id, said in by_turn.items()]
    return {
        "dialogue": str(dialogue.id),
        "company": company.slug,
        "client": dialogue.client_name,
        "in_charge": dialogue.in_charge.value,
        "turns": told,
        "prompt": await _prompt(core, company, dialogue, told),
    }


async def _find(core: Core, dialogue_id: DialogueId) -> tuple[Company, Dialogue]:
    """Look company by company: a transaction sees one company's."""
    for company in await core.companies.list_companies():
        async with core.database.reading(company.id) as tx:
            found = await Dialogues().find_dialogue(tx, dialogue_id)
        if found is not None:
            return company, found
    raise NotFound(f"there is no dialogue {dialogue_id}; `ai-admin dialogues COMPANY` shows them")


def _by_turn(messages: Sequence[HistoryMessage], most: int) -> dict[UUID, list[HistoryMessage]]:
    found: dict[UUID, list[HistoryMessage]] = {}
    for message in messages:
        found.setdefault(message.turn_id, []).append(message)
    return dict(list(found.items())[-most:])


def _turn(turn_id: UUID, said: Sequence[HistoryMessage], calls: Sequence[ToolCallRecord]) -> dict[str, Any]:
    ours = next((one for one in said if one.author is not Author.CLIENT), None)
    contents = [Content.model_validate(part) for part in ours.parts] if ours else []
    results = [part for one in contents for part in one.parts if isinstance(part, ResultPart)]
    return {
        "turn": str(turn_id),
        "at": said[0].at,
        "client": "\n".join(one.text for one in said if one.author is Author.CLIENT),
        "calls": [
            {
                "tool": call.name,
                "arguments": dict(call.arguments),
                "outcome": call.outcome,
                "took_ms": round(call.took.total_seconds() * 1000),
            }
            for call in calls
        ],
        "results": [{"tool": one.name, "result": one.response} for one in results],
        "reply": ours.text if ours else None,
        "model": ours.model if ours else None,
        "prompt_version": ours.prompt_version if ours else None,
    }


async def _prompt(
    core: Core, company: Company, dialogue: Dialogue, told: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Render the prompt anew, and say whether it is still the one that the last answer of the model was written by."""
    snapshot, prompts = await core.companies.get_snapshot(company.id), PromptManager()
    facts = ClientFacts(
        name=dialogue.client_name,
        language=dialogue.language or snapshot.agent.language,
        proved_phone=dialogue.proved_phone is not None,
    )
    written = next((one["prompt_version"] for one in reversed(told) if one["prompt_version"]), None)
    prompt = prompts.render(snapshot, client=facts, now=core.clock())
    return {
        "version_now": prompt.version,
        "unchanged_since": None if written is None else written == prompt.version,
        "text": prompt.system,
    }
