"""Errors by the internal codes of section 17.4.10."""

from __future__ import annotations

BY_CODE = {-1: 500, 0: 501, 8: 404, 9: 404, 19: 405, 20: 401}
OURS = frozenset({1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 16, 19, 21})
"""Codes that only a faulty caller meets."""


class Refused(Exception):
    """`code` None: the HTTP status alone (412). The document gives no status per code: these are the usual ones."""

    def __init__(self, code: int | None, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or (BY_CODE.get(code, 400) if code is not None else 400)
