"""What is worked out once for all webhooks of a channel: whose it is, how its proof is checked, what counts it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import Counter, Histogram
from pydantic import SecretStr

from db.records import Channel, ChannelId, ChannelType, CompanySnapshot
from handlers.base import ChannelIntake, Lock

MOST = 20_000
UPDATES = Counter("ai_admin_updates", "Updates at the door.", ["channel", "outcome"])
ACCEPT_SECONDS = Histogram(
    "ai_admin_accept_seconds",
    "From the first byte of a webhook to its commit.",
    ["channel"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """A channel's own door. `fields`: what its log lines say of it; `quiet`: how long its turns wait for more."""

    channel: Channel
    company: CompanySnapshot
    lock: Lock
    quiet: timedelta
    fields: Mapping[str, str]
    seconds: Histogram
    accepted: Counter


class Doorways:
    """Keeps the doorways of the channels that were knocked at last, each as long as its channel and company are true.

    No secret is kept: a lock holds at most a digest of one.
    """

    def __init__(
        self,
        intakes: Mapping[ChannelType, ChannelIntake],
        open_secrets: Callable[[Channel], Mapping[str, SecretStr]],
        quiet: timedelta,
    ) -> None:
        self._intakes = intakes
        self._open_secrets = open_secrets
        self._quiet = quiet
        self._kept: OrderedDict[ChannelId, Doorway] = OrderedDict()

    def of(self, channel: Channel, company: CompanySnapshot) -> Doorway:
        """Return the doorway of a channel as the directory knows it now."""
        kept = self._kept.get(channel.id)
        # The very same records: whatever is changed of a company or a channel is read anew.
        if kept is not None and kept.channel is channel and kept.company is company:
            self._kept.move_to_end(channel.id)
            return kept
        made = self._make(channel, company)
        self._kept[channel.id] = made
        self._kept.move_to_end(channel.id)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return made

    def _make(self, channel: Channel, company: CompanySnapshot) -> Doorway:
        kind, quiet = channel.type.value, company.agent.quiet
        return Doorway(
            channel=channel,
            company=company,
            lock=self._intakes[channel.type].lock(lambda: self._open_secrets(channel)),
            quiet=self._quiet if quiet is None else quiet,
            fields={"company_id": str(channel.company_id), "channel": kind, "channel_id": str(channel.id)},
            seconds=ACCEPT_SECONDS.labels(kind),
            accepted=UPDATES.labels(kind, "accepted"),
        )
