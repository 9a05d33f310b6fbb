"""After a visit: how many stars, what was wrong, whether to be invited again, and how to hear nothing more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from db.outreach_records import FEW_STARS, MOST_STARS, ConsentKind, Rating
from orchestration.conversation import Step
from orchestration.menu import menu_rows
from orchestration.messages import Button, Command, Reply
from orchestration.outreach_acts import ConsentAnswered, RatingExplained, Stopped, VisitRated
from orchestration.outreach_rules import has_answered, has_stopped
from orchestration.ports import OutreachView
from orchestration.privacy_notice import Notice, operator_of
from orchestration.trouble import client_label, stale_button
from orchestration.turns import StaffNotice, Turn

RATE = "rate"
"""`rate:<rating>:<stars>`."""
INVITE = "invite"
"""`invite:<yes|no>:<version of the words>`: whether to be invited again after some weeks."""
STOP = "stop"
"""Nothing unasked any more."""

ANSWERED_WITHIN = timedelta(days=3)
"""A bare figure so long after the question is still its answer."""
_LONGEST_WHY = 1000
_YES, _NO = "yes", "no"


class AfterVisit:
    """What a client says of a visit is the business's alone: few stars go to its staff, and nowhere else."""

    def __init__(self, outreach: OutreachView) -> None:
        self._outreach = outreach

    async def rate(self, turn: Turn, rest: str) -> None:
        """Take the stars of a pressed button."""
        named, _, stars = rest.partition(":")
        id_ = _uuid(named)
        rating = await self._outreach.find_rating(turn.dialogue, id_) if id_ else None
        if rating is None or not _is_stars(stars):
            stale_button(turn)
        else:
            await self._rated(turn, rating, int(stars))

    async def hear(self, turn: Turn) -> bool:
        """Take words as the stars that were asked for, or as what was wrong; say whether they were."""
        words = turn.client_text.strip()
        if turn.conversation.step is Step.TELLING_WHY:
            return _explained(turn, words)
        if not _is_stars(words) or turn.conversation.asks_elsewhere or turn.call is not None:
            return False
        rating = await self._outreach.find_open_rating(turn.dialogue, since=turn.now - ANSWERED_WITHIN)
        if rating is None:
            return False
        await self._rated(turn, rating, int(words))
        return True

    async def invite(self, turn: Turn, rest: str) -> None:
        """Take the yes or no to being invited again, to exactly the words above the button."""
        answer, _, version = rest.partition(":")
        words = invitation_words(turn)
        if answer not in (_YES, _NO) or turn.scope.agent.outreach.win_back_weeks is None:
            stale_button(turn)
        elif version != words.version:
            # The words have changed since, or the client has another language now.
            _ask_to_invite(turn, words, turn.texts.text("invite-ask-again"))
        else:
            given = answer == _YES
            turn.outreach.append(ConsentAnswered(kind=ConsentKind.WIN_BACK, words=words, given=given))
            turn.say(turn.texts.text("invite-agreed" if given else "invite-refused"))
            turn.outcome = "invitation_agreed" if given else "invitation_refused"

    async def _rated(self, turn: Turn, rating: Rating, stars: int) -> None:
        if rating.stars is not None:
            turn.say(turn.texts.text("rating-known"))
            turn.outcome = "rated_before"
            return
        turn.outreach.append(VisitRated(rating_id=rating.id, stars=stars))
        turn.outcome = "visit_rated"
        if stars > FEW_STARS:
            await self._thank(turn)
            return
        turn.conversation = turn.conversation.at_rest().model_copy(
            update={"step": Step.TELLING_WHY, "rated": rating.id}
        )
        turn.say(turn.texts.text("rating-low"))
        turn.notices.append(_notice(turn, rating, stars))

    async def _thank(self, turn: Turn) -> None:
        """Thank them, and ask once whether they want to be invited again where the company does that."""
        thanks = turn.texts.text("rating-high")
        consents = await self._outreach.list_consents(turn.dialogue)
        asked = has_answered(consents, ConsentKind.WIN_BACK) or has_stopped(consents)
        if turn.scope.agent.outreach.win_back_weeks is None or asked:
            turn.say(thanks)
        else:
            _ask_to_invite(turn, invitation_words(turn), thanks)


def stop(turn: Turn) -> None:
    """Write nothing unasked to this client any more, in no channel."""
    turn.outreach.append(Stopped())
    turn.conversation = turn.conversation.at_rest()
    turn.replies.append(Reply(text=turn.texts.text("outreach-stopped"), buttons=menu_rows(turn)))
    turn.outcome = "outreach_stopped"


def note_stop(turn: Turn) -> None:
    """Keep a stop that nobody answers because a person does: it holds all the same."""
    message = turn.messages[0]
    said = len(turn.messages) == 1 and turn.texts.is_one_of("command-words-stop", message.text)
    if message.command is Command.STOP or message.action == STOP or said:
        turn.outreach.append(Stopped())


def invitation_words(turn: Turn) -> Notice:
    """Return what a client agrees to who wants to be invited again, word for word."""
    return Notice(text=turn.texts.text("invite-consent", company=operator_of(turn.scope.company, turn.scope.agent)))


def _ask_to_invite(turn: Turn, words: Notice, before: str) -> None:
    row = (
        Button(text=turn.texts.text("invite-yes"), action=f"{INVITE}:{_YES}:{words.version}"),
        Button(text=turn.texts.text("button-no"), action=f"{INVITE}:{_NO}:{words.version}"),
    )
    turn.replies.append(Reply(text=f"{before}\n\n{words.text}", buttons=(row,)))


def _explained(turn: Turn, words: str) -> bool:
    """Pass on what was wrong. A question, or nothing but a file, is no such words: the agent answers it."""
    rating_id = turn.conversation.rated
    turn.conversation = turn.conversation.model_copy(update={"step": None, "rated": None})
    if rating_id is None or not words or words.endswith("?"):
        return False
    turn.outreach.append(RatingExplained(rating_id=rating_id, words=words[:_LONGEST_WHY]))
    notice = turn.staff_texts.text("staff-rating-why", client=client_label(turn), text=words[:_LONGEST_WHY])
    turn.notices.append(StaffNotice(text=notice))
    turn.say(turn.texts.text("rating-why-passed-on"))
    turn.outcome = "rating_explained"
    return True


def _notice(turn: Turn, rating: Rating, stars: int) -> StaffNotice:
    branch = next((one for one in turn.scope.branches if one.id == rating.branch_id), None)
    when = turn.staff_texts.moment(turn.local(rating.starts_at, branch)) if branch else ""
    visit = ", ".join(part for part in (when, *rating.service_names, rating.staff_name) if part)
    text = turn.staff_texts.text("staff-rating-low", client=client_label(turn), stars=stars, visit=visit)
    return StaffNotice(text=text, branch_id=rating.branch_id)


def _is_stars(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) == 1 and 1 <= int(text) <= MOST_STARS


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
