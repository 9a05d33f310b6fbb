"""Who plays the client: the lines of the scenario, or a model that has been told what it wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.rehearsal.faults import Fault, FaultKind
from bot.rehearsal.scenario import Press, Scenario, ShareContact
from bot.rehearsal.stage import Actor
from locales import prompt_text
from orchestration.errors import ModelError
from orchestration.messages import Reply
from orchestration.ports import Content, Model, ModelRequest, TextPart

_MOST_MESSAGES = 20
_THINKS = timedelta(seconds=30)
_ENDS, _PRESSES = "[END]", "[PRESS]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was said; `buttons`: what the client could press under it."""

    by_client: bool
    text: str
    buttons: Sequence[str] = ()


@dataclass(slots=True)
class Transcript:
    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    """What could not be done as the scenario says."""

    def say(self, text: str) -> None:
        self.lines.append(Line(by_client=True, text=text))

    def hear(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            buttons = [button.text for button in reply.choices]
            if reply.ask_contact:
                buttons.append(reply.ask_contact)
            self.lines.append(Line(by_client=False, text=reply.text, buttons=buttons))


class SimulatedClient(Protocol):
    async def play(self, scenario: Scenario, actor: Actor) -> Transcript:
        """Hold the conversation. Raises TimeoutError where there is no answer."""


class ScriptedClient:
    """Says the scenario's lines, whatever is answered; shares the own contact when asked."""

    async def play(self, scenario: Scenario, actor: Actor) -> Transcript:
        transcript = Transcript()
        for line in scenario.says:
            match line:
                case str():
                    transcript.say(line)
                    transcript.hear(await actor.says(line))
                case Press():
                    transcript.say(f"[{line.press}]")
                    try:
                        transcript.hear(await actor.presses(line.press))
                    except LookupError:
                        transcript.faults.append(Fault(FaultKind.NO_BUTTON, line.press))
                        return transcript
                case ShareContact() if not actor.shared:
                    transcript.hear(await _share(scenario, actor, transcript))
            if scenario.client.shares_phone and actor.is_asked_for_phone:
                transcript.hear(await _share(scenario, actor, transcript))
        return transcript


class PlayedClient:
    """A model plays the client by the scenario's goal; it sees what a client sees, and nothing else."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def play(self, scenario: Scenario, actor: Actor) -> Transcript:
        transcript = Transcript()
        talk = [Content(role="user", parts=(TextPart(text="…"),))]
        for _ in range(_MOST_MESSAGES):
            said = await self._next(scenario, talk, transcript)
            if said is None:
                return transcript
            talk.append(Content(role="model", parts=(TextPart(text=said),)))
            transcript.say(said)
            before = len(transcript.lines)
            transcript.hear(await self._act(said, actor, transcript))
            if scenario.client.shares_phone and actor.is_asked_for_phone:
                transcript.hear(await _share(scenario, actor, transcript))
            heard = "\n".join(_shown(line) for line in transcript.lines[before:])
            talk.append(Content(role="user", parts=(TextPart(text=heard or "…"),)))
        transcript.faults.append(Fault(FaultKind.NOT_DONE, str(_MOST_MESSAGES)))
        return transcript

    async def _next(self, scenario: Scenario, talk: Sequence[Content], transcript: Transcript) -> str | None:
        """Return what the client writes next; None where they are done."""
        system = prompt_text("client").replace("{goal}", scenario.goal).replace("{name}", scenario.client.name)
        try:
            answer = await self._model.generate(ModelRequest(system=system, contents=talk, tools=(), timeout=_THINKS))
        except ModelError as error:
            transcript.faults.append(Fault(FaultKind.CLIENT_FAILED, str(error)))
            return None
        said = answer.content.text.strip()
        return None if said.startswith(_ENDS) or not said else said.removesuffix(_ENDS).strip()

    async def _act(self, said: str, actor: Actor, transcript: Transcript) -> Sequence[Reply]:
        if not said.startswith(_PRESSES):
            return await actor.says(said)
        label = said.removeprefix(_PRESSES).strip(" :")
        try:
            return await actor.presses(label)
        except LookupError:
            transcript.faults.append(Fault(FaultKind.NO_BUTTON, label))
            return ()


async def _share(scenario: Scenario, actor: Actor, transcript: Transcript) -> Sequence[Reply]:
    transcript.say(f"[{scenario.client.phone}]")
    return await actor.shares_phone(scenario.client.phone)


def _shown(line: Line) -> str:
    return line.text + "".join(f"\n{_PRESSES} {label}" for label in line.buttons)
