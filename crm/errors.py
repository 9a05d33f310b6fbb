"""Errors of the CRM port, branched by what the caller does next.

CRMError
├─ CRMNotConfigured     the company has no CRM: the agent talks, and says what it cannot do
├─ CRMAuthFailed        the CRM refused the credentials: the company's staff are told
├─ CRMRateLimited       try again later; carries retry_after
├─ CRMUnavailable       try again later; the CRM did not answer a call that changes nothing
├─ CRMRejected          the request is wrong; never retried as it is
│  ├─ SlotTaken         offer other times
│  ├─ CRMNotFound       the record, client, service or master is gone
│  └─ CRMInvalid        a field is wrong (phone, name, closed day)
├─ CRMUnsupported       this CRM cannot; a person does it
└─ CRMOutcomeUnknown    a write may or may not have happened: look it up by external id before anything else
"""

from __future__ import annotations

from datetime import timedelta


class CRMError(Exception):
    """The root. `code` is stable and goes into logs and tool results; the text never carries credentials."""

    code = "crm_error"


class CRMNotConfigured(CRMError):
    code = "crm_not_configured"


class CRMAuthFailed(CRMError):
    code = "crm_auth_failed"


class CRMRateLimited(CRMError):
    code = "crm_rate_limited"

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CRMUnavailable(CRMError):
    code = "crm_unavailable"


class CRMRejected(CRMError):
    code = "crm_rejected"


class SlotTaken(CRMRejected):
    code = "slot_taken"


class CRMNotFound(CRMRejected):
    code = "crm_not_found"


class CRMInvalid(CRMRejected):
    code = "crm_invalid"


class CRMUnsupported(CRMError):
    code = "crm_unsupported"


class CRMOutcomeUnknown(CRMError):
    code = "crm_outcome_unknown"
