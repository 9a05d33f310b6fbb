"""The counting: what the sandboxes saw against what the database says. Every count but the last must be zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from bench.chaos.evidence import SentReply, Stored, Update, WriteIntent
from bench.chaos.people import Yes
from db.booking_records import IntentKind, IntentStatus
from handlers.pieces import split_text, utf16_units
from handlers.telegram.delivery import TEXT_LIMIT
from sandbox.telegram.state import Bot, Json
from sandbox.yclients.salon import Book

_NO_REPLY_IS_RIGHT = frozenset({"person_in_charge"})
_MOST_DETAILS = 20

LOST = "updates answered 200 but not processed"
DISORDERED = "out-of-order turns"
DOUBLE = "double bookings"
UNCONFIRMED = "bookings without a confirmed intent"
NOT_IN_CRM = "intents done without a CRM record"
UNANSWERED = "clients left without an answer"
FROM_NOWHERE = "messages that no committed turn sent"
UNFINISHED = "confirmed writes left unfinished"
ORPHANED = "turns whose updates another turn answered too"
TWICE = "replies sent twice"


@dataclass(slots=True)
class Verdict:
    """`zeros` must all be 0; `details` says what each of those that are not was."""

    zeros: dict[str, int] = field(default_factory=dict)
    sent_twice: int = 0
    no_reply: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not any(self.zeros.values())

    def count(self, name: str, found: Collection[str]) -> None:
        self.zeros[name] = len(found)
        self.details += [f"{name}: {one}" for one in list(found)[:_MOST_DETAILS]]


def judge(bot: Bot, book: Book, stored: Stored, yeses: Sequence[Yes]) -> Verdict:
    """Count. `bot` and `book` are the vendors' own memory of the run."""
    taken = {int(update["update_id"]) for update in bot.delivered}
    verdict = Verdict()
    verdict.count(LOST, list(_lost(taken, stored)))
    verdict.count(DISORDERED, list(_disordered(stored.updates)))
    verdict.count(DOUBLE, list(_double(book)))
    verdict.count(UNCONFIRMED, list(_unconfirmed(book, stored, taken, yeses)))
    verdict.count(NOT_IN_CRM, list(_not_in_crm(book, stored.intents)))
    verdict.count(UNFINISHED, list(_unfinished(stored.intents)))
    verdict.count(UNANSWERED, list(_unanswered(bot, taken, stored, verdict.no_reply)))
    verdict.count(ORPHANED, list(_orphaned(stored)))
    twice, nowhere = _surplus(bot, stored.replies)
    verdict.count(FROM_NOWHERE, nowhere)
    verdict.sent_twice = twice
    return verdict


def _lost(taken: set[int], stored: Stored) -> Iterator[str]:
    """Name every update that Telegram believes taken and that is not done; a dead letter counts too."""
    known = {update.key: update for update in stored.updates}
    for key in sorted(taken):
        update = known.get(key)
        if update is None:
            yield f"update {key} was never stored"
        elif update.done_at is None:
            yield f"update {key} of {update.dialogue_key} is {'dead' if update.dead_at else 'not done'}: {update.error}"
    for update in stored.updates:
        if update.dead_at is not None and update.key not in taken:
            yield f"update {update.key} is dead: {update.error}"


def _disordered(updates: Sequence[Update]) -> Iterator[str]:
    """Name every update that was dealt with before an earlier one of its dialogue, and every torn turn."""
    for _, group in groupby(updates, key=lambda update: update.dialogue_id):
        done = [update for update in group if update.done_at is not None]
        for one, other in pairwise(done):
            if one.done_at is not None and other.done_at is not None and other.done_at < one.done_at:
                yield f"update {other.key} was done before {one.key} in {one.dialogue_key}"
        runs = [turn for turn, _ in groupby(update.turn_id for update in done if update.turn_id is not None)]
        yield from (f"turn {turn} is torn" for turn, count in Counter(runs).items() if count > 1)


def _orphaned(stored: Stored) -> Iterator[str]:
    """Name every committed turn that no update names: two workers have committed a turn for the same updates."""
    named = {update.turn_id for update in stored.updates}
    yield from (f"turn {turn_id} ({outcome})" for turn_id, outcome in stored.outcomes.items() if turn_id not in named)


def _double(book: Book) -> Iterator[str]:
    """Name overlapping records of one master, and two records of one proposal."""
    yield from (f"pair {number + 1} of overlapping records" for number in range(book.double_bookings()))
    by_proposal = Counter(str(record["api_id"]) for record in _records(book))
    yield from (f"{count} records for {api_id}" for api_id, count in by_proposal.items() if api_id and count > 1)


def _unconfirmed(book: Book, stored: Stored, taken: set[int], yeses: Sequence[Yes]) -> Iterator[str]:
    """Name records without an intent that is done, or without a yes of that very client that Telegram brought."""
    intents = {intent.external_id: intent for intent in stored.intents}
    said = {(yes.proposal, str(yes.user_id)) for yes in yeses if yes.update_id in taken}
    for record in _records(book):
        intent = intents.get(str(record["api_id"]))
        if intent is None:
            yield f"record {record['id']} has no intent"
        elif intent.status != IntentStatus.DONE or intent.crm_record_id != str(record["id"]):
            yield f"record {record['id']}: its intent is {intent.status}, of record {intent.crm_record_id}"
        elif (intent.id, intent.dialogue_key.partition(":")[0]) not in said:
            yield f"record {record['id']}: the client never said yes to {intent.id}"


def _not_in_crm(book: Book, intents: Sequence[WriteIntent]) -> Iterator[str]:
    ids = {str(record["id"]): str(record["api_id"]) for record in _records(book)}
    for intent in intents:
        done = intent.status == IntentStatus.DONE and intent.kind == IntentKind.CREATE
        if done and ids.get(intent.crm_record_id or "") != intent.external_id:
            yield f"intent {intent.id} is done, and the CRM knows no record {intent.crm_record_id} of it"


def _unfinished(intents: Sequence[WriteIntent]) -> Iterator[str]:
    """Name the intents that nobody goes on with: whether the visit stands in the CRM will never be found out."""
    for intent in intents:
        if intent.status in (IntentStatus.CONFIRMED, IntentStatus.CALLED):
            yield f"intent {intent.id} of {intent.dialogue_key} rests as {intent.status}"


def _unanswered(bot: Bot, taken: set[int], stored: Stored, no_reply: Counter[str]) -> Iterator[str]:
    """Name client messages without a reply that Telegram took; count by reason those that rightly have none."""
    shown = {(chat, message.message_id) for chat, one in bot.chats.items() for message in one.messages}
    by_turn: dict[object, list[SentReply]] = {}
    for reply in stored.replies:
        by_turn.setdefault((reply.turn_id, reply.dialogue_id), []).append(reply)
    for update in stored.updates:
        if update.key not in taken or update.done_at is None:
            continue
        replies = by_turn.get((update.turn_id, update.dialogue_id), []) if update.turn_id else []
        if not replies:
            outcome = stored.outcomes.get(update.turn_id, "no turn") if update.turn_id else "no turn"
            no_reply[outcome] += 1
            if outcome not in _NO_REPLY_IS_RIGHT:
                yield f"update {update.key} of {update.dialogue_key} has no reply: {outcome}"
        for reply in replies:
            chat = int(reply.dialogue_key.partition(":")[0])
            if not reply.message_ids or any((chat, one) not in shown for one in reply.message_ids):
                yield f"update {update.key}: a reply is {reply.status}, and Telegram did not take it: {reply.error}"


def _surplus(bot: Bot, replies: Sequence[SentReply]) -> tuple[int, list[str]]:
    """Count the messages that repeat a committed reply, and name those that no committed reply explains."""
    known: dict[int, set[int]] = {}
    texts: dict[int, set[str]] = {}
    for reply in replies:
        chat = int(reply.dialogue_key.partition(":")[0])
        known.setdefault(chat, set()).update(reply.message_ids)
        texts.setdefault(chat, set()).add(reply.text)
    # Two workers may both have written down what the messenger told them.
    twice = sum(max(0, len(reply.message_ids) - _pieces(reply.text)) for reply in replies)
    nowhere = []
    for user_id, chat_shown in bot.chats.items():
        for message in chat_shown.messages:
            if not message.from_bot or message.message_id in known.get(user_id, set()):
                continue
            if message.text in texts.get(user_id, set()):
                twice += 1
            else:
                nowhere.append(f"message {message.message_id} in the chat of {user_id}")
    return twice, nowhere


def _records(book: Book) -> list[Json]:
    return [record for salon in book.salons.values() for record in salon.records.values()]


def _pieces(text: str) -> int:
    return len(split_text(text, TEXT_LIMIT, utf16_units))
