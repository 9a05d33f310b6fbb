"""The model <-> tools loop, with limits of rounds and time. It answers the turn or says honestly that it cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from db.records import Author, HistoryMessage
from orchestration.errors import ModelError
from orchestration.guard import unknown_figures
from orchestration.ports import CallPart, Content, MediaPart, Model, ModelRequest, ResultPart, TextPart
from orchestration.prompts import ClientFacts, PromptManager
from orchestration.tools.base import ToolOutcome
from orchestration.tools.manager import ToolManager
from orchestration.trouble import model_failed
from orchestration.turns import Turn

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """What one turn may take: rounds of tools, wall time, and how many earlier turns the model is shown."""

    rounds: int = 8
    time: timedelta = timedelta(seconds=20)
    turns_shown: int = 15


class Agent:
    """Answers free text with the company's model, prompt and tools."""

    def __init__(self, model: Model, tools: ToolManager, prompts: PromptManager, limits: AgentLimits) -> None:
        self._model = model
        self._tools = tools
        self._prompts = prompts
        self._limits = limits

    async def answer(self, turn: Turn, words: str, *, media: Sequence[MediaPart] = ()) -> None:
        """Write the reply to `words`, and the pictures shown with them, into the turn.

        Never raises for what the model or the CRM did.
        """
        facts = ClientFacts(
            name=turn.dialogue.client_name,
            language=turn.texts.language,
            proved_phone=turn.dialogue.proved_phone is not None,
        )
        system = self._prompts.system(turn.scope.snapshot, client=facts, now=turn.now)
        turn.prompt_version = self._prompts.version
        turn.said.append(Content(role="user", parts=(*media, TextPart(text=words))))
        earlier = earlier_contents(turn.history, turns=self._limits.turns_shown)
        try:
            async with asyncio.timeout(self._limits.time.total_seconds()):
                await self._loop(turn, system, earlier)
        except (ModelError, TimeoutError) as error:
            log.error("model_failed", error=f"{type(error).__name__}: {error}")
            model_failed(turn, "model_unavailable")
            if turn.said[-1].calls:
                # The time ran out while tools ran: a call without its result in the history would have the model refuse
                # every later turn of this dialogue.
                turn.said.pop()
        if turn.said[-1].role == "user":
            # Code has answered: the model sees those words as its own the next time.
            turn.said.append(_model_words("\n\n".join(reply.text for reply in turn.replies if reply.text)))

    async def _loop(self, turn: Turn, system: str, earlier: Sequence[Content]) -> None:
        # A blocked answer and its correction are shown to the model in this turn only; they are not kept.
        asides: list[Content] = []
        warned = False
        for _ in range(self._limits.rounds):
            content = await self._ask(turn, system, [*earlier, *turn.said, *asides])
            if content.calls:
                asides = []
                turn.said.append(content)
                if await self._call_tools(turn, content.calls):
                    return
                continue
            unknown = unknown_figures(
                content.text,
                facts=_facts(system, [*earlier, *turn.said]),
                client_words=_client_words([*earlier, *turn.said]),
            )
            if not unknown:
                turn.said.append(content)
                turn.say(content.text.strip())
                return
            log.warning("reply_blocked", figures=unknown, again=not warned)
            if warned:
                turn.say(turn.texts.text("safe-reply"))
                turn.outcome = "reply_replaced"
                return
            warned = True
            asides = [content, _correction(unknown)]
        raise ModelError("too many rounds of tools")

    async def _ask(self, turn: Turn, system: str, contents: Sequence[Content]) -> Content:
        answer = await self._model.generate(
            ModelRequest(
                system=system,
                contents=contents,
                tools=self._tools.declarations(turn.scope),
                timeout=self._limits.time,
                model=turn.scope.agent.model,
            )
        )
        turn.spend(answer.usage)
        turn.model = answer.model
        return answer.content

    async def _call_tools(self, turn: Turn, calls: Sequence[CallPart]) -> bool:
        """Call what the model asked for, and say whether the turn ends with it.

        Calls that only read run side by side. One that ends the turn leaves those after it undone.
        """
        if all(self._tools.reads_only(call.name) for call in calls):
            outcomes = await self._side_by_side(turn, calls)
        else:
            outcomes = []
            for call in calls:
                if outcomes and outcomes[-1].ends_turn:
                    outcomes.append(ToolOutcome(response={"status": "not_called"}, ends_turn=True, code="not_called"))
                else:
                    outcomes.append(await self._tools.call(turn, call))
        turn.said.append(
            Content(
                role="user",
                parts=tuple(
                    ResultPart(id=call.id, name=call.name, response=dict(outcome.response))
                    for call, outcome in zip(calls, outcomes, strict=True)
                ),
            )
        )
        return any(outcome.ends_turn for outcome in outcomes)

    async def _side_by_side(self, turn: Turn, calls: Sequence[CallPart]) -> list[ToolOutcome]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._tools.call(turn, call)) for call in calls]
        except ExceptionGroup as failures:
            # What failed decides what becomes of the turn: a database that is away is no fault of the message, and
            # inside of a group nobody would know it.
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]


def earlier_contents(history: Sequence[HistoryMessage], *, turns: int) -> tuple[Content, ...]:
    """Return earlier turns as the model knew them; it always begins with the client's words.

    A turn that the model took no part in is given by its plain words.
    """
    by_turn: dict[object, list[HistoryMessage]] = {}
    for message in history:
        by_turn.setdefault(message.turn_id, []).append(message)
    contents: list[Content] = []
    for messages in list(by_turn.values())[-turns:]:
        kept = [Content.model_validate(part) for message in messages for part in message.parts]
        contents += kept or [_plain(message) for message in messages]
    while contents and not (contents[0].role == "user" and contents[0].text):
        contents.pop(0)
    return tuple(contents)


def _plain(message: HistoryMessage) -> Content:
    if message.author is Author.CLIENT:
        return Content(role="user", parts=(TextPart(text=message.text),))
    return _model_words(message.text)


def _model_words(text: str) -> Content:
    return Content(role="model", parts=(TextPart(text=text or "…"),))


def _correction(unknown: Sequence[str]) -> Content:
    """Tell the model, not the client, what must not be said."""
    text = (
        f"[system] Your answer was not sent. These figures are in no tool result: {', '.join(unknown)}. Answer again."
    )
    return Content(role="user", parts=(TextPart(text=text),))


def _facts(system: str, contents: Sequence[Content]) -> list[str]:
    """Return what figures may be taken from: the prompt and everything that tools answered."""
    results = [
        json.dumps(part.response, ensure_ascii=False)
        for content in contents
        for part in content.parts
        if isinstance(part, ResultPart)
    ]
    return [system, *results]


def _client_words(contents: Sequence[Content]) -> str:
    return "\n".join(content.text for content in contents if content.role == "user")
