"""How many messages WhatsApp takes, after Meta's pages on throughput (80 a second from a number) and on pair rate
limits (one message in six seconds to one person; a burst is borrowed from what comes). Errors 130429 and 131056 go
above them.
"""

from __future__ import annotations

from datetime import timedelta

from db.limits import Budget
from handlers.base import SendLimits

LIMITS = SendLimits(
    # A dialogue is quicker than one in six seconds; a burst of half of what Meta lets one borrow keeps well inside.
    chat=Budget(rate=10, per=timedelta(minutes=1), burst=20),
    sender=Budget(rate=70, per=timedelta(seconds=1), burst=10),
)
