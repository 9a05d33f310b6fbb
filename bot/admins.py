"""Who sits at the command line, for the audit."""

from __future__ import annotations

import os
import pwd
import socket

from bot.settings import Settings
from db.audit import Actor


def admin_of(settings: Settings) -> Actor:
    """Return the operating system's user and host, after the name that AI_ADMIN_ACTOR gives."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    here = f"{user}@{socket.gethostname()}"
    # A name that is given is only claimed: it stands before what the system says, not instead of it.
    return Actor("admin", f"{settings.actor} ({here})" if settings.actor else here)
