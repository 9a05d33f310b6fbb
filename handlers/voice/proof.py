"""Who is it that knocks? Twilio signs its requests; our VoxEngine scenario signs its first frame.

Twilio: https://www.twilio.com/docs/usage/security#validating-requests (base64 of HMAC-SHA1 over the address as Twilio
saw it and the sorted form); the handshake of a stream carries the same header over its wss:// address. Whether some
set-ups sign it as https:// is not known: both are taken.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1, sha256

from pydantic import SecretStr

TWILIO_HEADER = "X-Twilio-Signature"
LATE_S = 60
"""How old a scenario's signature may be."""


def twilio_signature(token: SecretStr, url: str, form: Mapping[str, str]) -> str:
    """Return what Twilio puts into its header."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return b64encode(hmac.new(token.get_secret_value().encode(), signed.encode(), sha1).digest()).decode()


def is_twilio(token: SecretStr, url: str, form: Mapping[str, str], given: str) -> bool:
    """Say whether Twilio sent this, in constant time. `url`: the public address, https:// or wss://."""
    schemes = (url, url.replace("wss://", "https://", 1)) if url.startswith("wss://") else (url,)
    matches = [
        hmac.compare_digest(twilio_signature(token, one, form).encode(), given.encode(errors="replace"))
        for one in schemes
    ]
    return any(matches)


def scenario_signature(secret: SecretStr, call: str, caller: str, timestamp: str) -> str:
    """Return what deploy/voximplant/ai_admin.js puts into its first frame."""
    signed = f"{call}.{caller}.{timestamp}".encode()
    return hmac.new(secret.get_secret_value().encode(), signed, sha256).hexdigest()


def is_scenario(secret: SecretStr, call: str, caller: str, parameters: Mapping[str, str]) -> bool:
    """Say whether the channel's own scenario sent this first frame, a moment ago."""
    timestamp = parameters.get("timestamp", "")
    if not timestamp.isdecimal() or len(timestamp) > 12 or abs(time.time() - int(timestamp)) > LATE_S:
        return False
    expected = scenario_signature(secret, call, caller, timestamp)
    return hmac.compare_digest(expected.encode(), parameters.get("signature", "").encode())
