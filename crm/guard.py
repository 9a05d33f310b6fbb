"""The calm of one account: a CRM that does not answer is left in peace, and so are credentials that it refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Gauge

from crm.errors import CRMAuthFailed, CRMError, CRMOutcomeUnknown, CRMUnavailable
from crm.ports import Admission, Breaker
from crm.purpose import Purpose, current_purpose

RESTING = Gauge(
    "ai_admin_crm_accounts_resting",
    "Accounts that this process found left in peace when it last wanted to ask them.",
    ["crm", "why"],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: `company` takes turns with others, `account` (see `scope_of`) is what rests. Never shown to a CRM."""

    company: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An admission to everything."""

    resting: timedelta | None = None
    refused: timedelta | None = None
    clean: bool = True


class NoBreaker:
    """Remembers nothing: for one who asks once."""

    async def admit(self, account: str, operation: str, *, proof: bool) -> Admission:
        return Allowed()

    async def succeeded(self, account: str) -> None:
        return

    async def failed(self, account: str) -> None:
        return

    async def refused(self, account: str, operation: str) -> None:
        return

    async def find_rest(self, account: str) -> timedelta | None:
        return None


class Guard:
    """Asks the breaker before a call of one account, and tells it what was heard."""

    def __init__(self, breaker: Breaker, account: str = "") -> None:
        self._breaker = breaker
        self._account = account

    async def admit(self, crm: str, operation: str) -> Admission:
        """Return where the call may be made. Raises CRMUnavailable or CRMAuthFailed at once: nothing is sent."""
        purpose = current_purpose()
        if purpose is Purpose.CHECK:
            return Allowed(clean=False)
        admission = await self._breaker.admit(self._account, operation, proof=purpose is Purpose.PROOF)
        _seen.note(crm, self._account, admission)
        if admission.refused is not None:
            again = f"not asked again for {_seconds(admission.refused)} s"
            raise CRMAuthFailed(f"{operation}: refused a moment ago, {again}")
        if admission.resting is not None:
            again = f"not asked for {_seconds(admission.resting)} s"
            raise CRMUnavailable(f"{operation}: the CRM has failed again and again, {again}")
        return admission

    async def heard(self, operation: str, admission: Admission, error: CRMError | None) -> None:
        """Tell what came of a call that was sent; None: an answer that could be read.

        A refusal of the request and "too many calls" are answers: the CRM is there.
        """
        if isinstance(error, CRMUnavailable | CRMOutcomeUnknown):
            await self._breaker.failed(self._account)
            return
        if isinstance(error, CRMAuthFailed):
            await self._breaker.refused(self._account, operation)
        if not admission.clean:
            await self._breaker.succeeded(self._account)

    async def find_rest(self) -> timedelta | None:
        return await self._breaker.find_rest(self._account)


class _Seen:
    """What the metric counts: the accounts that were found resting and have not been found well since."""

    def __init__(self) -> None:
        self._resting: dict[tuple[str, str], set[str]] = {}

    def note(self, crm: str, account: str, admission: Admission) -> None:
        for why, wait in (("silent", admission.resting), ("refused", admission.refused)):
            accounts = self._resting.setdefault((crm, why), set())
            if wait is None:
                accounts.discard(account)
            else:
                accounts.add(account)
            RESTING.labels(crm, why).set(len(accounts))


_seen = _Seen()


def _seconds(time: timedelta) -> int:
    return max(1, round(time.total_seconds()))
