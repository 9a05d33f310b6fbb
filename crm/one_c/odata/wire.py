"""A 1C entity as JSON carries it: integers may be texts, empty references are zero keys, empty dates the year 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from crm.http import UnreadableAnswer
from crm.one_c.odata.names import Length, Moment, length_of_number, length_of_time
from crm.one_c.odata.query import GUID, ZERO_KEY


@dataclass(frozen=True, slots=True)
class Row:
    """One entity or row. Every reading raises UnreadableAnswer that names the property, never its value."""

    values: Mapping[str, object]

    def text(self, field: str) -> str:
        value = self._get(field)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _unreadable(field, value)
        return str(value).strip()

    def optional_text(self, field: str | None) -> str:
        """Return a text that may be missing or null."""
        return "" if field is None or self.values.get(field) is None else self.text(field)

    def key(self, field: str) -> str:
        """Return a reference's key, "" for an empty one."""
        value = self._get(field)
        text = value.lower() if isinstance(value, str) else None
        if text == "":
            return ""
        if text is None or not GUID.fullmatch(text):
            raise _unreadable(field, value)
        return "" if text == ZERO_KEY else text

    def own_key(self) -> str:
        """Return the entity's own key, which cannot be empty."""
        key = self.key("Ref_Key")
        if not key:
            raise UnreadableAnswer("the property Ref_Key is empty")
        return key

    def flag(self, field: str) -> bool:
        value = self._get(field)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise _unreadable(field, value)

    def number(self, field: str) -> Decimal:
        value = self._get(field)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise _unreadable(field, value)
        try:
            number = Decimal(str(value) or "0")
        except InvalidOperation:
            raise _unreadable(field, value) from None
        if not number.is_finite():
            raise _unreadable(field, value)
        return number

    def date(self, field: str) -> datetime:
        """Return a date of the server's wall clock."""
        value = self._get(field)
        try:
            return datetime.fromisoformat(value if isinstance(value, str) else "").replace(tzinfo=None)
        except ValueError:
            raise _unreadable(field, value) from None

    def moment(self, moment: Moment) -> datetime:
        """Return a moment, whose day and time may stand apart."""
        day = self.date(moment.field)
        return day if moment.time is None else datetime.combine(day.date(), self.date(moment.time).time())

    def length(self, length: Length | None) -> timedelta | None:
        """Return a length, None where it is not filled in."""
        if length is None:
            return None
        if length.format == "time":
            return length_of_time(self.date(length.field))
        return length_of_number(self.number(length.field), length.format)

    def rows(self, part: str) -> tuple[Row, ...]:
        value = self._get(part)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise _unreadable(part, value)
        return tuple(Row(one) for one in value)

    def _get(self, field: str) -> object:
        if field not in self.values:
            raise UnreadableAnswer(f"the answer has no property {field}")
        return self.values[field]


def _unreadable(field: str, value: object) -> UnreadableAnswer:
    return UnreadableAnswer(f"the property {field} cannot be read ({type(value).__name__})")
