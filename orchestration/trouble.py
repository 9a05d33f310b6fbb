"""What the client and the staff are told when the CRM, the model or a write fails. A client always gets an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from crm.errors import CRMAuthFailed, CRMError, CRMNotConfigured
from db.records import Branch, BranchId, Dialogue, ModelBudget
from locales import Translator
from orchestration.menu import menu_rows, ways
from orchestration.messages import Reply
from orchestration.scope import CompanyScope
from orchestration.turns import MICROUSD_IN_A_CENT, StaffNotice, Turn

log = structlog.get_logger()

_MOST_QUOTED = 1000


def client_label(turn: Turn) -> str:
    """Name the client for staff: the name and the number we have, whether it is proved or only typed."""
    return label_of(turn.dialogue, turn.staff_texts)


def dead_update_notice(scope: CompanyScope, dialogue: Dialogue) -> StaffNotice:
    """Tell staff that a message could not be processed, and whose it was."""
    texts = Translator.for_language(scope.agent.language)
    return StaffNotice(text=texts.text("staff-dead-update", client=label_of(dialogue, texts)))


def lost_reply_notice(texts: Translator, dialogue: Dialogue, payload: Mapping[str, Any]) -> StaffNotice:
    """Tell staff that a reply did not reach the client, with its words: they may call."""
    words = str(payload.get("text", ""))[:_MOST_QUOTED]
    return StaffNotice(text=texts.text("staff-not-delivered", client=label_of(dialogue, texts), words=words))


def too_late_notice(texts: Translator, dialogue: Dialogue, payload: Mapping[str, Any]) -> StaffNotice:
    """Tell staff that the messenger takes no free words to this client any more, with the words."""
    words = str(payload.get("text", ""))[:_MOST_QUOTED]
    return StaffNotice(text=texts.text("staff-too-late", client=label_of(dialogue, texts), words=words))


def label_of(dialogue: Dialogue, texts: Translator) -> str:
    """Name a client for staff by what is known: the name, and the number whether it is proved or only typed."""
    name = dialogue.client_name or texts.text("staff-unnamed-client")
    phone = dialogue.proved_phone or dialogue.typed_phone
    return f"{name}, {phone}" if phone else name


def crm_failed(turn: Turn, error: CRMError, *, branch_id: BranchId | None = None) -> None:
    """Say that the schedule cannot be reached, take the wish down, ring a person. Only staff see why."""
    if isinstance(error, CRMNotConfigured):
        turn.say(turn.texts.text("crm-not-configured"))
        turn.outcome = error.code
        return
    log.warning("crm_failed", code=error.code, error=str(error))
    refused = isinstance(error, CRMAuthFailed)
    turn.say(turn.texts.text("crm-auth-failed" if refused else "crm-unavailable"))
    notice = turn.staff_texts.text(
        "staff-crm-auth" if refused else "staff-crm-down",
        client=client_label(turn),
        wish=turn.client_text or "—",
        reason=error.code,
    )
    turn.call_person(error.code, turn.client_text, notice=StaffNotice(text=notice, branch_id=branch_id))
    turn.outcome = error.code


def outcome_unknown(turn: Turn, what: str, branch: Branch) -> None:
    """Say that a person checks whether the write went through; it is never tried again."""
    turn.say(turn.texts.text("outcome-unknown"))
    notice = turn.staff_texts.text("staff-outcome-unknown", client=client_label(turn), what=what)
    turn.call_person("crm_outcome_unknown", what, notice=StaffNotice(text=notice, branch_id=branch.id))
    turn.outcome = "crm_outcome_unknown"


def model_failed(turn: Turn, reason: str) -> None:
    """Say that the assistant cannot think now, or may not answer this, and that a person will."""
    key = "model-blocked" if reason == "model_blocked" else "model-unavailable"
    # The booking by buttons needs no model.
    turn.replies.append(Reply(text=turn.texts.text(key), buttons=menu_rows(turn)))
    notice = turn.staff_texts.text("staff-model-down", client=client_label(turn), wish=turn.client_text or "—")
    turn.call_person(reason, turn.client_text, notice=StaffNotice(text=notice))
    turn.outcome = reason


def budget_spent(turn: Turn) -> None:
    """Go on by buttons, and say so: the company's budget for the model is spent. Staff were told when it was."""
    turn.replies.append(Reply(text=turn.texts.text("only-buttons"), buttons=menu_rows(turn)))
    turn.outcome = "over_budget"


def budget_notices(texts: Translator, budget: ModelBudget, *, before: int, after: int) -> list[StaffNotice]:
    """Tell staff which limit of the month was crossed. `before`, `after`: its cost in millionths of a US dollar."""
    limits = [("staff-budget-soft", budget.soft), ("staff-budget-hard", budget.hard)]
    return [
        StaffNotice(text=texts.text(key, spent=f"{after / 1_000_000:.2f}", limit=f"{cents / 100:.2f}"))
        for key, cents in limits
        if cents is not None and before < cents * MICROUSD_IN_A_CENT <= after
    ]


def ask_for_contact(turn: Turn, text: str) -> None:
    """Ask for the client's own contact by the channel's own means; `text` is for who writes."""
    if turn.call is not None:
        # How a caller proves a number is decided where messengers can be looked up (orchestration/callers.py).
        turn.proof_wanted = True
        return
    flow = turn.conversation.flow
    turn.replies.append(
        Reply(
            text=text,
            ask_contact=turn.texts.text("button-share-contact"),
            buttons=() if flow is None else (ways(turn, flow),),
        )
    )


def stale_button(turn: Turn) -> None:
    """Answer the press of a button that leads nowhere any more with what is possible."""
    turn.replies.append(Reply(text=turn.texts.text("stale-button"), buttons=menu_rows(turn)))
    turn.outcome = "stale_button"
