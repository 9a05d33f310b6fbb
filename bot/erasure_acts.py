"""The act of an erasure with its extract of the log: what it says, how it is signed, read and checked.

What has to be in it is told by Roskomnadzor's order No. 179 of 28 October 2022 (docs/privacy.md).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from db.personal_data import CATEGORIES, Category, CrmRecord
from db.records import CompanySnapshot
from db.signing import Signature, is_signed, key_id_of
from locales import Translator

FORMAT, VERSION = "ai-admin.erasure-act", 1
SYSTEM = "AI-Admin"


class Reason(StrEnum):
    """Why it was erased."""

    REQUEST = "request"
    """The person asked for it, or took their consent back."""
    PURPOSE = "purpose"
    """What it was processed for is reached, or is over."""
    UNLAWFUL = "unlawful"
    """It should not have been processed."""


class BadAct(Exception):
    """The file is none of ours, or was changed; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What happened. `rows`: how many, by table; `identifier`: the person, for whoever holds the company's key."""

    id: UUID
    at: datetime
    phone: str | None
    identifier: str
    rows: Mapping[str, int]
    reason: Reason
    by: str | None
    processor: str | None
    records: Sequence[CrmRecord]

    @property
    def categories(self) -> list[str]:
        found = {CATEGORIES[name] for name in self.rows if name in CATEGORIES}
        return [one.value for one in Category if one in found]


def act_of(erased: Erased, snapshot: CompanySnapshot) -> dict[str, Any]:
    """Return the document, not signed yet."""
    subject = {"phone": erased.phone, "identifier": erased.identifier}
    common = {
        "act": str(erased.id),
        "subject": subject,
        "categories": erased.categories,
        "information_system": SYSTEM,
        "reason": erased.reason.value,
    }
    events = [
        {"at": erased.at.isoformat(), "event": "erased", "place": name, "rows": number}
        for name, number in sorted(erased.rows.items())
    ]
    company = snapshot.company
    return {
        "format": FORMAT,
        "version": VERSION,
        "act": {
            **common,
            "company": {"id": str(company.id), "slug": company.slug, "name": company.name},
            "operator": snapshot.agent.privacy.operator or company.name,
            "processor": erased.processor,
            "erased_by": erased.by,
            "method": "deleted from PostgreSQL and Redis",
            "erased_at": erased.at.isoformat(),
            "kept_in_crm": {
                "type": snapshot.crm.type if snapshot.crm else None,
                "records": [
                    {"branch": _branch(snapshot, one), "record": one.record_id, "external_id": one.external_id}
                    for one in erased.records
                ],
            },
        },
        "log_extract": {**common, "events": events},
    }


def record_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stays with us of it: without the number and the CRM's records, by the digest of the whole."""
    bare = json.loads(canonical(document))
    for part in ("act", "log_extract"):
        bare[part]["subject"].pop("phone")
    for name in ("erased_by", "kept_in_crm"):
        bare["act"].pop(name)
    return {**bare, "sha256": sha256(canonical(document)).hexdigest()}


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: everything but the signature, keys in order, no spaces."""
    rest = {name: value for name, value in document.items() if name != "signature"}
    return json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signed(document: Mapping[str, Any], signature: Signature) -> dict[str, Any]:
    """Return the document with its signature."""
    return {
        **document,
        "signature": {
            "algorithm": "Ed25519",
            "key": signature.key_id,
            "public_key": base64.b64encode(signature.public_key).decode(),
            "value": base64.b64encode(signature.value).decode(),
        },
    }


def read_act(text: str) -> dict[str, Any]:
    """Read a file. Raises BadAct."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise BadAct("it is no act of a version that this program knows")
        UUID(document["act"]["act"])
        UUID(document["act"]["company"]["id"])
        for name in ("key", "public_key", "value"):
            if not isinstance(document["signature"][name], str):
                raise BadAct("it has no signature")
    except (ValueError, KeyError, TypeError) as error:
        raise BadAct("it is no act of ours") from error
    return dict(document)


def check_signature(document: Mapping[str, Any], public_key: bytes) -> None:
    """Raise BadAct where this key did not sign exactly this document."""
    signature = document["signature"]
    try:
        value = base64.b64decode(signature["value"], validate=True)
    except binascii.Error as error:
        raise BadAct("its signature cannot be read") from error
    if signature["key"] != key_id_of(public_key):
        raise BadAct(f"it was signed with another key, {signature['key']}")
    if not is_signed(canonical(document), value, public_key):
        raise BadAct("it was changed after it was signed, or was signed by somebody else")


def in_words(document: Mapping[str, Any], texts: Translator) -> str:
    """Return the act and the extract as people read and sign them on paper."""
    act, log = document["act"], document["log_extract"]
    blank = "____________________"
    subject = ", ".join(one for one in (act["subject"]["phone"], f"ID {act['subject']['identifier']}") if one)
    categories = "; ".join(_category(texts, one) for one in act["categories"]) or "—"
    reason = _reason(texts, act["reason"])
    kept = [f"{one['record']} ({one['external_id']})" for one in act["kept_in_crm"]["records"]]
    lines = [
        texts.text("act-title", id=act["act"]),
        "",
        texts.text("act-operator", value=act["operator"]),
        texts.text("act-processor", value=act["processor"] or "—"),
        texts.text("act-subject", value=subject),
        texts.text("act-categories", value=categories),
        texts.text("act-system", value=act["information_system"]),
        texts.text("act-method"),
        texts.text("act-reason", value=reason),
        texts.text("act-date", value=act["erased_at"]),
        texts.text("act-kept-in-crm", crm=act["kept_in_crm"]["type"] or "—", value=", ".join(kept) or "—"),
        "",
        texts.text("act-erased-by", value=act["erased_by"] or blank),
        texts.text("act-signature", value=blank),
        "",
        texts.text("act-log-title", id=log["act"]),
        "",
        texts.text("act-subject", value=subject),
        texts.text("act-categories", value=categories),
        texts.text("act-system", value=log["information_system"]),
        texts.text("act-reason", value=reason),
        *(f"{one['at']}  {one['event']}  {one['place']}: {one['rows']}" for one in log["events"]),
        "",
        texts.text("act-signed-by-system", name=document["signature"]["key"]),
        "",
    ]
    return "\n".join(lines)


def _branch(snapshot: CompanySnapshot, record: CrmRecord) -> str | None:
    return next((one.key for one in snapshot.branches if one.id == record.branch_id), None)


def _reason(texts: Translator, reason: str) -> str:
    words = {
        Reason.REQUEST: "act-reason-request",
        Reason.PURPOSE: "act-reason-purpose",
        Reason.UNLAWFUL: "act-reason-unlawful",
    }
    return texts.text(words[Reason(reason)])


def _category(texts: Translator, category: str) -> str:
    words = {
        Category.CONTACTS: "act-category-contacts",
        Category.CORRESPONDENCE: "act-category-correspondence",
        Category.RECEIVED: "act-category-received",
        Category.NOTES: "act-category-notes",
        Category.BOOKINGS: "act-category-bookings",
        Category.CALLS: "act-category-calls",
        Category.TECHNICAL: "act-category-technical",
    }
    return texts.text(words[Category(category)])
