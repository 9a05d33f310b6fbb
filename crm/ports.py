"""What all CRMs share and none owns: limits over all processes, kept answers, and accounts that are left in peace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A vendor's limit on calls, counted by outgoing address; `name` tells limits apart.

    A limit that the vendor counts by account carries the account in its name.
    """

    name: str
    rate: int
    per: timedelta
    burst: int


class Pace(Protocol):
    """Keeps vendors' limits on calls over all companies and processes; where there is a queue, companies take turns."""

    async def wait(self, limits: Sequence[Limit], *, line: str, company: str, ahead: int) -> None:
        """Return when one more call is allowed by all the limits.

        `line` names the outgoing address that is counted. `ahead`: so many turns the call may take before others; below
        0 it lets them go first. Bounded: raises TimeoutError.
        """


class Cache(Protocol):
    """Keeps short-lived answers of a CRM, shared by all processes. Losing it costs speed, nothing else."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None: ...

    async def delete(self, key: str) -> None: ...


class Admission(Protocol):
    """Whether a call may be made now; both times None: it may."""

    @property
    def resting(self) -> timedelta | None:
        """How long the account is left in peace, because its CRM does not answer."""

    @property
    def refused(self) -> timedelta | None:
        """How long the operation is not asked, because the CRM refused the credentials."""

    @property
    def clean(self) -> bool:
        """Nothing stands against the account, so a success changes nothing."""


class Breaker(Protocol):
    """Remembers over all processes which accounts' CRMs do not answer. Never raises: lost, everything is allowed."""

    async def admit(self, account: str, operation: str, *, proof: bool) -> Admission:
        """Say whether a call may be made. `proof`: it finds out what became of a write, and may be the trial."""

    async def succeeded(self, account: str) -> None:
        """The CRM answered, if only with a refusal."""

    async def failed(self, account: str) -> None:
        """The CRM did not answer, or nothing that can be read."""

    async def refused(self, account: str, operation: str) -> None:
        """The CRM refused the credentials, or their right to this."""

    async def find_rest(self, account: str) -> timedelta | None:
        """Return how long the account is left in peace still; None: it is not."""
