"""How much is logged of a company's work: an admin may want to see more of one company for an hour."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from db.directory import Directory
from db.errors import DBError
from db.records import Company, CompanyId
from orchestration.ports import Clock

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
current_level: ContextVar[int | None] = ContextVar("log_level", default=None)
"""None: as much as of everybody's. bot/logs.py drops what is below it."""


class LogLevels:
    """Knows each company's level, as far as one is set and its time is not over."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def of(self, company: Company) -> int | None:
        """Return the level to log at; None: the usual one."""
        if company.log_level is None or company.log_level_until is None or company.log_level_until <= self._clock():
            return None
        return LEVELS.get(company.log_level)

    async def find(self, company_id: CompanyId) -> int | None:
        """Return the level of a company that is known by its id only; None also where it cannot be read."""
        try:
            return self.of((await self._directory.get_snapshot(company_id)).company)
        except DBError:
            return None


@contextmanager
def at_level(level: int | None) -> Iterator[None]:
    """Log at this level within the block; None: as before."""
    if level is None:
        yield
        return
    token = current_level.set(level)
    try:
        yield
    finally:
        current_level.reset(token)
