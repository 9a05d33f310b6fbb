"""What somebody in a staff chat wrote or pressed, channel-neutral: handlers translate into it, and nothing else."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from orchestration.messages import Attachment

STAFF = "staff"
"""What the actions of buttons begin with that only staff are shown."""
SEND_DRAFT, DROP_DRAFT = f"{STAFF}:ds", f"{STAFF}:dx"
"""With a draft's id: the agent's words go out as they are, or not at all."""


class StaffCommand(StrEnum):
    """What staff may ask of the agent, in their group or in private with the bot."""

    ENROL = "enrol"
    BACK = "back"
    TODAY = "today"
    PAUSE = "pause"
    RESUME = "resume"
    NOTE = "note"
    NOTES = "notes"
    UNDO = "undo"
    SICK = "sick"
    CONSOLE = "console"


class StaffWord(BaseModel):
    """One message, command, press or edit of one person. `author`: the messenger's own id of who it is.

    `topic`: the topic of the group that it stands in, `reply_to`: the message that it answers. `from_owner`: the
    business's own person wrote to the client past us, on the business's own phone; the client has it already.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_id: str
    sent_at: datetime
    author: int = 0
    author_name: str = ""
    private: bool = False
    topic: int | None = None
    reply_to: str | None = None
    text: str = ""
    command: StaffCommand | None = None
    argument: str = ""
    action: str | None = None
    press_id: str | None = None
    attachment: Attachment | None = None
    edits: str | None = None
    """The message that was changed into this one."""
    from_owner: bool = False
    client_phone: str | None = None
    """Of words past us: the client's number, where the messenger tells it; it may name them as we do not."""
