"""A turn: what the client said since the last one, and what is to become of it. Grouping is a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from db.records import (
    Author,
    Branch,
    BranchId,
    Claim,
    Dialogue,
    DialogueState,
    HistoryMessage,
    ToolCallRecord,
    Usage,
    new_id,
)
from db.remembered import ClientMemory
from locales import Translator
from orchestration.conversation import Conversation
from orchestration.messages import Button, Choices, Message, Reply
from orchestration.model_prices import cost_of
from orchestration.outreach_acts import OutreachAct
from orchestration.ports import Content, MediaSource
from orchestration.privacy_notice import Notice
from orchestration.scope import CompanyScope
from orchestration.speech import Speech
from orchestration.stages import Stages

MICROUSD_IN_A_CENT = 10_000


class TurnAbandoned(Exception):
    """The client spoke on before a word of the answer was heard: nothing of the turn is kept, and what they said since
    belongs to it."""


class TurnPostponed(Exception):
    """The turn cannot be decided yet: nothing of it is kept, and it is handled again after `delay`."""

    def __init__(self, delay: timedelta, why: str) -> None:
        super().__init__(why)
        self.delay = delay


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNotice:
    """A message to the staff chat of a branch; `branch_id` None: of the first branch that has one.

    `buttons`: what staff may answer by.
    """

    text: str
    branch_id: BranchId | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    calls_person: bool = False
    """It calls somebody to the client: where staff see the dialogue, it stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A person is to look at the dialogue. `reason` is one of a closed set of codes: it is counted by.

    `at_once`: they answer from now on, and the agent is silent; else it goes on until they do.
    """

    reason: str
    summary: str
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a turn of a telephone call knows of the call.

    `transfer_to` (E.164): who picks up now; None: nobody does, and a message is taken down.
    """

    transfer_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The call ends once its last words are spoken. `transfer_to`: it goes on with a person at that number."""

    reason: str
    transfer_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Words for the client in another channel of theirs."""

    dialogue: Dialogue
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """Everything that one commit takes: replies, history, state, notices, counts."""

    turn_id: UUID
    replies: tuple[Reply, ...]
    history: tuple[HistoryMessage, ...]
    dialogue: Dialogue
    state: DialogueState
    tool_calls: tuple[ToolCallRecord, ...]
    usage: Usage
    cost: int
    """Of the model, in millionths of a US dollar."""
    model: str | None
    notices: tuple[StaffNotice, ...]
    handovers: tuple[Handover, ...]
    outcome: str
    notice: Notice | None = None
    """What the client was told of their data with this turn."""
    ends_call: CallEnd | None = None
    elsewhere: tuple[Elsewhere, ...] = ()
    outreach: tuple[OutreachAct, ...] = ()
    """What was decided about messages that go out unasked."""
    hands_back: bool = False
    """The client would rather go on with the assistant than wait for a person."""
    erases_client: bool = False
    """The client asked for it and confirmed: nothing that is kept of them stays, this turn's words included."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One turn while it is being worked on. Tools and confirmation write into it; `result()` closes it."""

    scope: CompanyScope
    claim: Claim
    """The lease that the turn is made under: every step of a write to a CRM proves it."""
    dialogue: Dialogue
    conversation: Conversation
    state_version: int
    messages: tuple[Message, ...]
    history: Sequence[HistoryMessage]
    now: datetime
    texts: Translator
    choices: Choices
    media: MediaSource
    call: CallFacts | None = None
    """None: the client writes."""
    speech: Speech | None = None
    """Where the answer is heard as it is written; None: nobody is on the line."""
    carries_out: bool = True
    """False: staff are trying the agent out, and a yes changes nothing."""
    id: UUID = field(default_factory=new_id)
    stages: Stages = field(default_factory=Stages)
    replies: list[Reply] = field(default_factory=list)
    said: list[Content] = field(default_factory=list)
    """What the model saw and said in this turn, in its own words."""
    tool_calls: list[ToolCallRecord] = field(default_factory=list)
    notices: list[StaffNotice] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: int = 0
    spent_before: int = 0
    """What the company's month had cost before this turn, in millionths of a US dollar."""
    memory: ClientMemory | None = None
    model: str | None = None
    prompt_version: str | None = None
    outcome: str = "answered"
    was_asked: bool = True
    """The question that is open had reached the client before they wrote this."""
    saw_picture: bool = False
    """The client sent a picture: a price said now would be one from a picture."""
    erases: bool = False
    hands_back: bool = False
    """The client would rather go on with the assistant."""
    notice: Notice | None = None
    ends_call: CallEnd | None = None
    proof_wanted: bool = False
    """What the caller wants needs a number that is proved to be theirs."""
    elsewhere: list[Elsewhere] = field(default_factory=list)
    outreach: list[OutreachAct] = field(default_factory=list)

    @property
    def staff_texts(self) -> Translator:
        """The words for the salon's staff: the company's language, whatever the client speaks."""
        return Translator.for_language(self.scope.agent.language)

    @property
    def client_text(self) -> str:
        """What the client wrote in this turn, a burst of messages as one."""
        return "\n".join(message.text for message in self.messages if message.text)

    def press(self, action: str) -> None:
        """Take the client's words as a press of this button."""
        self.messages = (self.messages[0].model_copy(update={"action": action}), *self.messages[1:])

    def hear(self, words: str) -> None:
        """Take the first message, a voice note, as these words."""
        self.messages = (self.messages[0].model_copy(update={"text": words, "attachments": ()}), *self.messages[1:])

    def say(self, text: str) -> None:
        """Answer with plain words."""
        self.replies.append(Reply(text=text))

    def local(self, moment: datetime, branch: Branch) -> datetime:
        """Return the moment in the branch's zone: clients are always shown wall-clock time of the salon."""
        return moment.astimezone(ZoneInfo(branch.time_zone))

    @property
    def is_over_budget(self) -> bool:
        """Say whether the model may not be asked any more this month."""
        hard = self.scope.agent.budget.hard
        return hard is not None and self.spent_before + self.cost >= hard * MICROUSD_IN_A_CENT

    def spend(self, usage: Usage, model: str) -> None:
        """Count a call of the model."""
        self.model = model
        self.cost += cost_of(usage, model)
        self.usage = Usage(
            calls=self.usage.calls + usage.calls,
            prompt_tokens=self.usage.prompt_tokens + usage.prompt_tokens,
            output_tokens=self.usage.output_tokens + usage.output_tokens,
            cached_tokens=self.usage.cached_tokens + usage.cached_tokens,
        )

    def call_person(
        self, reason: str, summary: str, *, notice: StaffNotice | None = None, at_once: bool = False
    ) -> None:
        """Mark the dialogue for a person, and ring the staff chat where a notice is given.

        `at_once`: where staff can, they answer from now on, and the agent is silent.
        """
        self.handovers.append(Handover(reason=reason, summary=summary, at_once=at_once))
        if notice is not None:
            self.notices.append(replace(notice, calls_person=True))

    def erase(self) -> None:
        """Forget the client: everything that is kept of them goes with this turn's commit."""
        self.erases = True
        self.conversation = Conversation()
        self.dialogue = Dialogue(
            id=self.dialogue.id,
            company_id=self.dialogue.company_id,
            channel_id=self.dialogue.channel_id,
            key=self.dialogue.key,
            in_charge=self.dialogue.in_charge,
            greeted_at=self.dialogue.greeted_at,
        )
        self.outcome = "client_erased"

    def result(self) -> TurnResult:
        client_at = self.messages[-1].sent_at if self.messages else self.now
        return TurnResult(
            turn_id=self.id,
            replies=tuple(self.replies),
            history=() if self.erases else self._history(client_at),
            erases_client=self.erases,
            hands_back=self.hands_back,
            notice=self.notice,
            ends_call=self.ends_call,
            elsewhere=tuple(self.elsewhere),
            outreach=() if self.erases else tuple(self.outreach),
            dialogue=replace(self.dialogue, last_message_at=client_at),
            state=self.conversation.to_state(self.state_version),
            tool_calls=tuple(self.tool_calls),
            usage=self.usage,
            cost=self.cost,
            model=self.model,
            notices=tuple(self.notices),
            handovers=tuple(self.handovers),
            outcome=self.outcome,
        )

    def _history(self, client_at: datetime) -> tuple[HistoryMessage, ...]:
        """Keep the client's words and ours; the contents in which the model knows them hang on ours."""
        messages = []
        if words := self.client_text:
            messages.append(HistoryMessage(author=Author.CLIENT, text=words, at=client_at, turn_id=self.id))
        if answer := "\n\n".join(reply.text for reply in self.replies if reply.text):
            messages.append(
                HistoryMessage(
                    author=Author.AGENT,
                    text=answer,
                    at=self.now,
                    turn_id=self.id,
                    parts=tuple(content.model_dump(mode="json", exclude_none=True) for content in self.said),
                    model=self.model,
                    prompt_version=self.prompt_version,
                )
            )
        return tuple(messages)


def first_group(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages at the head of the queue that make one turn.

    A run of free text is one turn, as a burst of short messages is one thought; a command, a pressed button, a contact,
    an attachment and a changed message each are a turn of their own, so that they act on exactly the state that stood
    before them.
    """
    if not messages:
        return ()
    if not messages[0].is_free_text or messages[0].edits is not None:
        return (messages[0],)
    burst = []
    for message in messages:
        if not message.is_free_text or message.edits is not None:
            break
        burst.append(message)
    return tuple(burst)


_LONGEST_BURST = 5
"""In quiet times: a client who never stops is answered in between."""


def burst_ends_at(accepted_at: Sequence[datetime], quiet: timedelta) -> datetime:
    """Return when a run of free text is over: the client has been quiet that long, or has written long enough."""
    return min(accepted_at[-1] + quiet, accepted_at[0] + quiet * _LONGEST_BURST)
