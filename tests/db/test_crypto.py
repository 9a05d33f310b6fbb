"""Secrets at rest: bound to company and column, loud when altered, never quoted."""

from __future__ import annotations

import stat
from uuid import uuid4

import pytest
from pydantic import SecretStr

from db.crypto import (
    CHANNEL_SECRETS,
    CRM_SECRETS,
    KeyRing,
    load_or_make_key_file,
    new_master_key,
    new_webhook_token,
    token_digest,
)
from db.errors import DecryptionFailed, SecretError, UnknownKey
from db.records import CompanyId

COMPANY, OTHER = CompanyId(uuid4()), CompanyId(uuid4())


def test_a_secret_opens_only_for_its_company_and_column():
    ring = KeyRing.parse(new_master_key())
    sealed = ring.seal(SecretStr("токен"), company_id=COMPANY, column=CRM_SECRETS)

    assert "токен" not in sealed
    assert ring.open(sealed, company_id=COMPANY, column=CRM_SECRETS).get_secret_value() == "токен"
    for company_id, column in ((OTHER, CRM_SECRETS), (COMPANY, CHANNEL_SECRETS)):
        with pytest.raises(DecryptionFailed):
            ring.open(sealed, company_id=company_id, column=column)


def test_an_altered_ciphertext_fails_loudly():
    ring = KeyRing.parse(new_master_key())
    sealed = ring.seal(SecretStr("x"), company_id=COMPANY, column=CRM_SECRETS)

    for altered in (sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB"), "nonsense", sealed.replace("v1", "v2")):
        with pytest.raises(SecretError):
            ring.open(altered, company_id=COMPANY, column=CRM_SECRETS)


def test_the_first_key_encrypts_and_all_decrypt():
    old, new = new_master_key(), new_master_key()
    sealed = KeyRing.parse(old).seal(SecretStr("x"), company_id=COMPANY, column=CRM_SECRETS)

    both = KeyRing.parse(f"{new},{old}")
    assert both.open(sealed, company_id=COMPANY, column=CRM_SECRETS).get_secret_value() == "x"
    assert both.seal(SecretStr("x"), company_id=COMPANY, column=CRM_SECRETS).split(".")[1] == new.split(":")[0]
    with pytest.raises(UnknownKey):
        KeyRing.parse(new).open(sealed, company_id=COMPANY, column=CRM_SECRETS)


@pytest.mark.parametrize("text", ["", "k1", "k1:", "k1:####", "k1:c2hvcnQ=", "k.1:" + "A" * 43 + "="])
def test_a_bad_master_key_is_refused_without_quoting_it(text):
    with pytest.raises(SecretError) as refused:
        KeyRing.parse(text)
    assert "c2hvcnQ" not in str(refused.value)


def test_named_secrets_travel_as_one_ciphertext():
    ring = KeyRing.parse(new_master_key())
    sealed = ring.seal_secrets({"a": SecretStr("1"), "b": SecretStr("2")}, company_id=COMPANY, column=CRM_SECRETS)

    opened = ring.open_secrets(sealed, company_id=COMPANY, column=CRM_SECRETS)
    assert {name: value.get_secret_value() for name, value in opened.items()} == {"a": "1", "b": "2"}


def test_the_development_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "master.keys"
    sealed = load_or_make_key_file(path).seal(SecretStr("x"), company_id=COMPANY, column=CRM_SECRETS)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_key_file(path).open(sealed, company_id=COMPANY, column=CRM_SECRETS).get_secret_value() == "x"


def test_webhook_tokens_are_long_and_kept_as_digests():
    token = new_webhook_token()
    assert len(token) >= 43
    assert token.encode() not in token_digest(token)
