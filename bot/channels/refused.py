"""What is said where a channel cannot be had."""

from __future__ import annotations

from db.errors import DBError


class ChannelRefused(DBError):
    """The messenger, or the settings, do not allow this channel; the message says why and what to do."""
