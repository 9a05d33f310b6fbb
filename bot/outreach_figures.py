"""What is counted of messages that go out unasked."""

from __future__ import annotations

from prometheus_client import Counter

OUTREACH = Counter("ai_admin_outreach", "Messages that go out unasked: sent, or why not.", ["kind", "outcome"])
WAITING_LIST = Counter(
    "ai_admin_waiting_list", "What became of clients on waiting lists and of their offers.", ["event"]
)
RATINGS = Counter("ai_admin_ratings", "Stars that clients gave to their visits.", ["stars"])
