"""Errors of the stores.

DBError
├─ DatabaseUnavailable   PostgreSQL does not answer: nothing was stored; try again
├─ TooManyUpdates        the company is over its rate: nothing was stored; try again after `wait`
├─ TooManyTries          the caller asked too often for what is not there; try again after `wait`
├─ NotFound              there is no such company, channel, dialogue or update
├─ Conflict              what is there already forbids it (a name taken, a step taken before)
├─ LeaseLost             another worker holds the dialogue: everything of this transaction is rolled back
├─ UpgradeFailed         the schema could not be changed
├─ SchemaBehind          the schema is older than this program wants
├─ SchemaAhead           the schema has lost what this program uses: the program is too old for it
└─ SecretError           a ciphertext cannot be opened
   ├─ UnknownKey          it names a key that the ring does not have
   ├─ DecryptionFailed    it was altered, or moved from another company, table or column
   ├─ KmsUnavailable      the key management service does not answer, or is sealed; try again
   └─ KmsRefused          it does not wrap or unwrap this key; the message says what to look at
"""

from __future__ import annotations

from datetime import timedelta


class DBError(Exception):
    """The root."""


class DatabaseUnavailable(DBError):
    pass


class TooManyUpdates(DBError):
    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many updates")
        self.wait = wait


class TooManyTries(DBError):
    def __init__(self, wait: timedelta) -> None:
        super().__init__("too many tries")
        self.wait = wait


class NotFound(DBError):
    pass


class Conflict(DBError):
    pass


class LeaseLost(DBError):
    pass


class UpgradeFailed(DBError):
    pass


class SchemaBehind(DBError):
    pass


class SchemaAhead(DBError):
    pass


class SecretError(DBError):
    pass


class UnknownKey(SecretError):
    pass


class DecryptionFailed(SecretError):
    pass


class KmsUnavailable(SecretError):
    pass


class KmsRefused(SecretError):
    pass
