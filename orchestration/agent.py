"""The model <-> tools loop, with limits of rounds and time. It answers the turn or says honestly that it cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import structlog
from prometheus_client import Counter

from db.records import Author, HistoryMessage
from locales import prompt_text
from orchestration.errors import Blocked, ModelBlocked, ModelError
from orchestration.guards.evidence import Evidence, evidence_of
from orchestration.guards.fault import Fault
from orchestration.guards.review import HINTS, Review, review
from orchestration.handover import connect, hand_over
from orchestration.messages import Reply
from orchestration.ports import CallPart, Content, Listener, Model, ModelRequest, ResultPart, TextPart
from orchestration.prompts import ClientFacts, Prompt, PromptManager
from orchestration.speech import HeldBack, Interrupted, Reading
from orchestration.tools.base import ToolOutcome
from orchestration.tools.manager import ToolManager
from orchestration.trouble import budget_spent, model_failed
from orchestration.turns import Turn, TurnAbandoned

log = structlog.get_logger()

REPLIES_BLOCKED = Counter("ai_admin_replies_blocked", "Replies of the model that were held back, by fault.", ["fault"])
_MOST_FAULTS = 5
_QUESTION_IS_OUT_S = 0.05
NEW_SESSION_AFTER = timedelta(days=7)
_NOT_CALLED = ToolOutcome(response={"status": "not_called"}, ends_turn=True, code="not_called")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLimits:
    """What one turn may take: rounds of tools, wall time, and how many earlier turns the model is shown."""

    rounds: int = 8
    time: timedelta = timedelta(seconds=20)
    turns_shown: int = 15


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer of the model; `spoken`: what of one that is at fault was heard all the same."""

    content: Content
    faults: Sequence[Fault] = ()
    spoken: str = ""


class Agent:
    """Answers free text with the company's model, prompt and tools."""

    def __init__(
        self, model: Model, tools: ToolManager, prompts: PromptManager, limits: AgentLimits, review: Review = review
    ) -> None:
        """`review`: what holds a reply back."""
        self._review = review
        self._model = model
        self._tools = tools
        self._prompts = prompts
        self._limits = limits

    async def answer(self, turn: Turn, words: str) -> None:
        """Write the reply to `words` into the turn.

        Never raises for what the model or the CRM did.
        """
        if turn.is_over_budget:
            budget_spent(turn)
            return
        facts = ClientFacts(
            name=turn.dialogue.client_name,
            language=turn.texts.language,
            proved_phone=turn.dialogue.proved_phone is not None,
            memory=turn.memory,
            on_phone=turn.call is not None,
        )
        prompt = self._prompts.render(turn.scope.snapshot, client=facts, now=turn.now)
        turn.prompt_version = prompt.version
        turn.said.append(Content(role="user", parts=(TextPart(text=words),)))
        earlier = earlier_contents(this_session(turn.history, turn.now), turns=self._limits.turns_shown)
        try:
            async with asyncio.timeout(self._limits.time.total_seconds()):
                await self._loop(turn, prompt, earlier)
        except Interrupted:
            _keep_what_was_heard(turn)
            return
        except (ModelError, TimeoutError) as error:
            log.error("model_failed", error=f"{type(error).__name__}: {error}")
            refused = isinstance(error, ModelBlocked) and error.kind is Blocked.REFUSED
            model_failed(turn, "model_blocked" if refused else "model_unavailable")
            connect(turn)
            if turn.said[-1].calls:
                # The time ran out while tools ran: a call without its result in the history would have the model refuse
                # every later turn of this dialogue.
                turn.said.pop()
        _keep_what_was_said(turn)
        if turn.said[-1].role == "user":
            # Code has answered: the model sees those words as its own the next time.
            turn.said.append(_model_words("\n\n".join(reply.text for reply in turn.replies if reply.text)))

    async def _loop(self, turn: Turn, prompt: Prompt, earlier: Sequence[Content]) -> None:
        # A blocked answer and its correction are shown to the model in this turn only; they are not kept.
        asides: list[Content] = []
        served: dict[str, ToolOutcome] = {}
        warned, begun = False, ""
        for _ in range(self._limits.rounds):
            answer = await self._answer_once(turn, prompt, earlier, asides)
            content, faults = answer.content, answer.faults
            if content.calls:
                asides = []
                turn.said.append(content)
                if turn.speech is not None:
                    await turn.speech.bridge(turn.texts.text("call-one-moment"))
                with turn.stages.stage("tools"):
                    ended = await self._call_tools(turn, content.calls, served)
                if ended:
                    return
                continue
            if not faults:
                turn.said.append(_model_words(f"{begun} {content.text}") if begun else content)
                if turn.speech is None:
                    turn.say(content.text.strip())
                return
            for fault in faults:
                REPLIES_BLOCKED.labels(fault.code).inc()
            log.warning("reply_blocked", faults=[fault.code for fault in faults], again=not warned)
            if warned:
                self._replace(turn, faults)
                return
            warned, begun = True, answer.spoken
            asides = [content, _correction(faults, begun)]
        raise ModelError("too many rounds of tools")

    async def _answer_once(
        self, turn: Turn, prompt: Prompt, earlier: Sequence[Content], asides: Sequence[Content]
    ) -> _Answer:
        """Ask the model, and look at what it answered.

        On the telephone what is right is heard while the rest is being written. Raises Interrupted.
        """
        contents = [*earlier, *turn.said, *asides]
        if turn.speech is None:
            content = await self._ask(turn, prompt, contents)
            return _Answer(content, () if content.calls else self._review(content.text, self._evidence(turn, earlier)))
        # What is known does not change while the model writes: gathered while it thinks, so that nobody waits for it.
        evidence = cache(lambda: self._evidence(turn, earlier))
        gathering = asyncio.get_running_loop().call_later(_QUESTION_IS_OUT_S, evidence)
        reading = Reading(turn.speech, lambda text: self._review(text, evidence()))
        try:
            asking = self._ask(turn, prompt, contents, Listener(reading.take))
            content = await turn.speech.unless_interrupted(asking)
            await reading.finish()
        except HeldBack as held:
            return _Answer(_model_words(held.text), held.faults, held.spoken)
        finally:
            gathering.cancel()
        return _Answer(content)

    def _evidence(self, turn: Turn, earlier: Sequence[Content]) -> Evidence:
        scope = turn.scope
        return evidence_of(
            scope.snapshot,
            earlier=earlier,
            said=turn.said,
            history=turn.history,
            client_words=turn.client_text,
            rules=prompt_text(scope.agent.language),
            tools=[tool.name for tool in self._tools.declarations(scope)],
            now=turn.local(turn.now, scope.branches[0]) if scope.branches else turn.now,
            saw_picture=turn.saw_picture,
        )

    def _replace(self, turn: Turn, faults: Sequence[Fault]) -> None:
        """Say something safe instead; what the model could not answer without advice is a person's."""
        if any(fault.code == "medical_advice" for fault in faults):
            hand_over(turn, "health", turn.client_text)
        else:
            turn.say(turn.texts.text("safe-reply"))
        turn.outcome = "reply_replaced"

    async def _ask(
        self, turn: Turn, prompt: Prompt, contents: Sequence[Content], listener: Listener | None = None
    ) -> Content:
        request = ModelRequest(
            system=prompt.system,
            stable=prompt.stable,
            contents=contents,
            tools=self._tools.declarations(turn.scope),
            timeout=self._limits.time,
            model=turn.scope.agent.model,
            listener=listener,
            private=_names_of(turn) if turn.scope.agent.hides_clients_from_model else None,
        )
        with turn.stages.stage("model"):
            answer = await self._model.generate(request)
        turn.spend(answer.usage, answer.model)
        return answer.content

    async def _call_tools(self, turn: Turn, calls: Sequence[CallPart], served: dict[str, ToolOutcome]) -> bool:
        """Call what the model asked for, and say whether the turn ends with it.

        Calls that only read run side by side. One that ends the turn leaves those after it undone. What was called in
        this turn already (`served`) is answered from the first time.
        """
        fresh = {_key(call): call for call in calls if _key(call) not in served}
        if all(self._tools.reads_only(call.name) for call in fresh.values()):
            outcomes = await self._side_by_side(turn, list(fresh.values()))
            served |= dict(zip(fresh, outcomes, strict=True))
        else:
            ended = False
            for key, call in fresh.items():
                served[key] = _NOT_CALLED if ended else await self._tools.call(turn, call)
                ended = ended or served[key].ends_turn
        answers = [(call, served[_key(call)]) for call in calls]
        parts = tuple(ResultPart(id=call.id, name=call.name, response=dict(one.response)) for call, one in answers)
        turn.said.append(Content(role="user", parts=parts))
        return any(outcome.ends_turn for _, outcome in answers)

    async def _side_by_side(self, turn: Turn, calls: Sequence[CallPart]) -> list[ToolOutcome]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._tools.call(turn, call)) for call in calls]
        except ExceptionGroup as failures:
            # What failed decides what becomes of the turn: a database that is away is no fault of the message, and
            # inside of a group nobody would know it.
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]


def _names_of(turn: Turn) -> tuple[str, ...]:
    return (turn.dialogue.client_name,) if turn.dialogue.client_name else ()


def _keep_what_was_said(turn: Turn) -> None:
    """Let the reply hold what was spoken before it."""
    if turn.speech is None or not turn.speech.said:
        return
    turn.replies.insert(0, Reply(text=turn.speech.text, spoken=True))


def _keep_what_was_heard(turn: Turn) -> None:
    """End a turn that the client spoke into: of the answer counts what they heard. Raises TurnAbandoned for nothing."""
    heard = turn.speech.line.heard() if turn.speech else ""
    if not heard:
        raise TurnAbandoned
    turn.said.append(_model_words(heard))
    turn.replies.append(Reply(text=heard, spoken=True))
    turn.outcome = "interrupted"


def this_session(history: Sequence[HistoryMessage], now: datetime) -> Sequence[HistoryMessage]:
    """Return what was said since the client last stayed away for a week: what was shown before then is stale."""
    moments = [*(message.at for message in history), now]
    starts = [place for place in range(1, len(moments)) if moments[place] - moments[place - 1] >= NEW_SESSION_AFTER]
    return history[starts[-1] :] if starts else history


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


def _correction(faults: Sequence[Fault], spoken: str = "") -> Content:
    """Tell the model, not the client, what must not be said. `spoken`: what the client has heard of the answer."""
    named = "; ".join(f"{HINTS[fault.code]} ({fault.what})" for fault in faults[:_MOST_FAULTS])
    if spoken:
        words = f"[system] The client has heard only: «{spoken}». The rest was not said. {named}. Go on from there."
    else:
        words = f"[system] Your answer was not sent. {named}. Answer again."
    return Content(role="user", parts=(TextPart(text=words),))


def _key(call: CallPart) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True, ensure_ascii=False, default=str)}"
