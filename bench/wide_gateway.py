"""`python -m bench.wide_gateway`: the gateway, with budgets that are out of the way.

One company may bring in 50 updates a second and one address 1,000: ten companies would be refused long before a gateway
is at its end. Both sides of a comparison run so.
"""

from __future__ import annotations

from datetime import timedelta

from bot import app
from bot.cli.session import run_async
from bot.logs import set_up_logs
from bot.roles import run_gateway
from bot.settings import LogFormat, Settings
from db.intake import IntakeBudgets
from db.limits import Budget

_NAME = "_INTAKE_BUDGETS"
_NO_LIMIT = Budget(rate=1_000_000, per=timedelta(seconds=1), burst=100_000_000)


def main() -> None:
    """Serve until stopped. Raises LookupError where the budgets have moved."""
    if not hasattr(app, _NAME):
        raise LookupError(f"bot.app has no {_NAME} any more: bench/wide_gateway.py replaces it")
    setattr(app, _NAME, IntakeBudgets(company=_NO_LIMIT, address=_NO_LIMIT))
    set_up_logs(LogFormat.JSON)
    run_async(run_gateway(Settings(_env_file=None)))


if __name__ == "__main__":
    main()
