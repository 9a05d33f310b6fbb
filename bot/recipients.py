"""A client as the rules of outreach look at them: read in the transaction in which the message would be put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.clients import Clients
from db.consents import Consents
from db.dialogues import Dialogues
from db.engine import Transaction
from db.outbox import Outbox
from db.outreach_log import OutreachLog
from db.outreach_records import MessageKind
from db.people_settings import DRAFT
from db.records import (
    Author,
    Branch,
    Channel,
    ChannelStatus,
    ChannelType,
    Dialogue,
    DialogueId,
    HistoryMessage,
    InCharge,
    new_id,
)
from handlers.whatsapp.delivery import WINDOW, Template
from orchestration.client_zone import zone_of
from orchestration.messages import Reply
from orchestration.modes import mode_of
from orchestration.outreach_rules import Recipient
from orchestration.scope import CompanyScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who would be written to, and where; `ids`: all dialogues of that person."""

    dialogue: Dialogue
    ids: Sequence[DialogueId]
    recipient: Recipient


class Recipients:
    """Every method works within the caller's transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._dialogues = Dialogues()
        self._clients = Clients()
        self._consents = Consents()
        self._log = OutreachLog()

    async def find(
        self,
        tx: Transaction,
        dialogue_id: DialogueId,
        kind: MessageKind,
        scope: CompanyScope,
        branch: Branch,
        channels: Sequence[Channel],
        *,
        now: datetime,
    ) -> Addressee | None:
        """Look at the client of a dialogue; None where it is gone."""
        dialogue = await self._dialogues.find_dialogue(tx, dialogue_id)
        return await self.look(tx, dialogue, kind, scope, branch, channels, now=now) if dialogue is not None else None

    async def look(
        self,
        tx: Transaction,
        dialogue: Dialogue,
        kind: MessageKind,
        scope: CompanyScope,
        branch: Branch,
        channels: Sequence[Channel],
        *,
        now: datetime,
    ) -> Addressee:
        """Look at the client of a dialogue. `branch`: by whose clock they live unless their number says otherwise."""
        ids = await self._clients.list_dialogues(tx, dialogue)
        channel = next((one for one in channels if one.id == dialogue.channel_id), None)
        with_person = dialogue.in_charge is InCharge.PERSON or await self._clients.is_with_person(tx, ids)
        recipient = Recipient(
            channel=channel.type.value if channel is not None else "",
            zone=zone_of(dialogue.proved_phone or dialogue.typed_phone, ZoneInfo(branch.time_zone), now),
            consents=await self._consents.list_of(tx, ids),
            last_counted=await self._log.last_counted(tx, ids, kind),
            reachable=_is_reachable(dialogue, channel),
            takes_words=channel is None or _takes_words(kind, dialogue, channel, now),
            with_person=with_person,
            last_heard=dialogue.last_message_at,
            drafts=channel is not None and mode_of(scope.agent, channel.type, branch) == DRAFT,
        )
        return Addressee(dialogue=dialogue, ids=ids, recipient=recipient)

    async def dialogues_of(self, tx: Transaction, dialogue_id: DialogueId) -> Sequence[DialogueId]:
        """Return all dialogues of whoever this one is with."""
        dialogue = await self._dialogues.find_dialogue(tx, dialogue_id)
        return await self._clients.list_dialogues(tx, dialogue) if dialogue is not None else [dialogue_id]

    async def write(
        self,
        tx: Transaction,
        dialogue: Dialogue,
        kind: MessageKind,
        subject: str,
        reply: Reply,
        *,
        requested: bool,
        now: datetime,
    ) -> bool:
        """Put a message into the outbox, and keep that it went; False: it went before, and nothing is put.

        It stands in the history too: the client may answer in words, and the model has to know to what.
        """
        if not await self._log.add(tx, dialogue.id, kind, subject, requested=requested, now=now):
            return False
        turn_id = new_id()
        words = HistoryMessage(author=Author.AGENT, text=reply.text, at=now, turn_id=turn_id)
        await self._dialogues.add_messages(tx, dialogue.id, [words])
        payload = reply.model_dump(mode="json", exclude_defaults=True)
        await self._outbox.put(tx, dialogue, [payload], turn_id=turn_id)
        return True


def _is_reachable(dialogue: Dialogue, channel: Channel | None) -> bool:
    """Say whether anything can be said first: a call is over, and what is gone or blocked takes nothing."""
    if channel is None or channel.type is ChannelType.VOICE or channel.is_preview:
        return False
    if channel.status is not ChannelStatus.ACTIVE:
        return False
    return dialogue.unreachable_at is None


def _takes_words(kind: MessageKind, dialogue: Dialogue, channel: Channel, now: datetime) -> bool:
    """Say whether the messenger takes these words now, or a template with them."""
    if channel.type is not ChannelType.WHATSAPP:
        return True
    wrote_at = dialogue.last_message_at
    if wrote_at is not None and now - wrote_at < WINDOW:
        return True
    if Template.of(channel.options, kind.value) is not None:
        return True
    template = Template.of(channel.options)
    return template is not None and template.takes_text
