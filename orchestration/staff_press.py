"""The buttons that staff are shown: what they carry, written and read in one place. A channel gives 64 bytes back."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from db.records import Dialogue
from locales import Translator
from orchestration.messages import Button
from orchestration.staff_words import STAFF

_ID_BYTES = 16


class About(StrEnum):
    """What a button of staff's is about."""

    NOTE = "note"
    LATE = "late"
    PHONE = "phone"
    SICK = "sick"


@dataclass(frozen=True, slots=True)
class StaffPress:
    """`staff:<about>:<answer>:<id>[:<id>]`; an id takes 22 letters."""

    about: About
    answer: str
    ids: tuple[UUID, ...]

    def action(self) -> str:
        """Return what the button carries."""
        return ":".join((STAFF, self.about, self.answer, *(_written(one) for one in self.ids)))

    def button(self, text: str) -> Button:
        return Button(text=text, action=self.action())

    @classmethod
    def read(cls, action: str, *, ids: int) -> StaffPress | None:
        """Read a press that names so many ids; None where it is none of ours."""
        parts = action.split(":")
        if len(parts) != 3 + ids or parts[0] != STAFF or parts[1] not in set(About):
            return None
        read = tuple(_read(part) for part in parts[3:])
        known = tuple(one for one in read if one is not None)
        return cls(About(parts[1]), parts[2], known) if len(known) == ids else None


def phone_button(texts: Translator, client: Dialogue) -> Button:
    """Return the button that gives a client's whole number to who may see it."""
    return StaffPress(About.PHONE, "show", (client.id,)).button(texts.text("staff-phone"))


def about_of(action: str) -> About | None:
    """Return what a pressed button is about; None where staff have no such button."""
    verb, _, rest = action.partition(":")
    about = rest.partition(":")[0]
    return About(about) if verb == STAFF and about in set(About) else None


def _written(id_: UUID) -> str:
    return base64.urlsafe_b64encode(id_.bytes).rstrip(b"=").decode()


def _read(text: str) -> UUID | None:
    try:
        raw = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return UUID(bytes=raw) if len(raw) == _ID_BYTES else None
