"""An application's tokens: the access token that calls carry for an hour, and the renewal token that gets the next.

After the vendor's "OAuth 2.0 token automatic renewal" and "Authorization Server Error Codes". Each renewal answers a
new renewal token, to be kept "instead of the previous one"; whether the previous one still works is not documented. So
the newest pair is kept in the cache for as long as a renewal token lives (180 days), and the settings' own renewal
token is tried where the newest is lost or refused. Where the cache was emptied and the vendor does retire previous
tokens, the application has to be authorized once more and `refresh_token` set again: CRMAuthFailed says so.

The pair is sealed with the application's secret: who reads the cache reads no credential.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
from datetime import datetime, timedelta
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from crm.account import Clock
from crm.base import Cache, Pace
from crm.bitrix24.access import Application
from crm.errors import CRMAuthFailed
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, UnreadableAnswer, parse

RENEWAL_LIVES = timedelta(days=180)
EARLY = timedelta(minutes=1)
"""An access token is not used in its last minute: it might end on the way."""
GRACE = timedelta(seconds=1)
"""How long another process may take to keep the pair that it got a moment before us."""
_NONCE_BYTES = 12


class Pair(BaseModel):
    """What the authorization server answers to a renewal."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    access_token: Annotated[str, Field(min_length=1)]
    refresh_token: Annotated[str, Field(min_length=1)]
    expires_in: Annotated[int, Field(gt=0)]


class KeptPair(BaseModel):
    model_config = ConfigDict(frozen=True)
    access: str
    renewal: str
    until: datetime


class RenewalRefused(CRMAuthFailed):
    """`invalid_grant`: this renewal token is no good, another may be."""


_PAIR = TypeAdapter(Pair)


class Tokens:
    """The tokens of one application in one portal, shared by all processes through the cache."""

    def __init__(
        self, http: CRMHttp, pace: Pace, cache: Cache, application: Application, *, scope: str, clock: Clock
    ) -> None:
        self._http = http
        self._cache = cache
        self._application = application
        self._clock = clock
        self._key = f"{scope}:tokens"
        self._gate = asyncio.Lock()
        self._server = CRMConnection(
            http,
            crm="bitrix24",
            base_url=application.oauth_url,
            secrets=(application.client_secret, application.refresh_token),
            pace=pace,
            limits=(Limit(name="bitrix24:oauth", rate=1, per=timedelta(seconds=1), burst=10),),
        )

    async def get(self) -> str:
        """Return an access token that should work. Raises CRMAuthFailed where the authorization is over."""
        return await self._get_but(None)

    async def get_another(self, refused: str) -> str:
        """Return an access token in place of one that the portal refused."""
        return await self._get_but(refused)

    async def _get_but(self, refused: str | None) -> str:
        async with self._gate:
            kept = await self._read()
            if kept is not None and kept.access != refused and self._clock() < kept.until - EARLY:
                return kept.access
            return await self._renew(kept)

    async def _renew(self, kept: KeptPair | None) -> str:
        """Ask with the newest renewal token, then with the settings' own."""
        given = self._application.refresh_token.get_secret_value()
        for renewal in dict.fromkeys([*([kept.renewal] if kept else []), given]):
            try:
                pair = await self._ask(renewal)
            except RenewalRefused:
                # Another process may have used it a moment before, and keep its pair by now.
                await self._http.sleep(GRACE.total_seconds())
                newer = await self._read()
                if newer is not None and newer != kept:
                    return newer.access
            else:
                await self._keep(pair)
                return pair.access_token
        raise CRMAuthFailed("oauth: invalid_grant: authorize the application once more and set its refresh_token")

    async def _ask(self, renewal: str) -> Pair:
        """Renew. Repeated where the answer is lost: the same token is all that we have, whatever became of it."""
        params = (
            ("grant_type", "refresh_token"),
            ("client_id", self._application.client_id),
            ("client_secret", self._application.client_secret.get_secret_value()),
            ("refresh_token", renewal),
        )
        call = Call(
            operation="oauth.token", method="GET", path="/oauth/token/", safe=True, params=params, private=(renewal,)
        )
        return await self._server.call(call, _read_pair)

    async def _read(self) -> KeptPair | None:
        sealed = await self._cache.get(self._key)
        if sealed is None:
            return None
        try:
            data = base64.b64decode(sealed, validate=True)
            plain = self._cipher().decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], self._key.encode())
            return KeptPair.model_validate_json(plain)
        except (binascii.Error, ValueError, InvalidTag, ValidationError):
            return None  # not ours, or of another version: as good as lost

    async def _keep(self, pair: Pair) -> None:
        until = self._clock() + timedelta(seconds=pair.expires_in)
        kept = KeptPair(access=pair.access_token, renewal=pair.refresh_token, until=until)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher().encrypt(nonce, kept.model_dump_json().encode(), self._key.encode())
        await self._cache.set(self._key, base64.b64encode(sealed).decode(), ttl=RENEWAL_LIVES)

    def _cipher(self) -> AESGCM:
        secret: SecretStr = self._application.client_secret
        return AESGCM(hashlib.sha256(f"bitrix24 tokens\n{secret.get_secret_value()}".encode()).digest())


def _read_pair(answer: Answer) -> Pair:
    """Read a pair; refusals come with `error`, whatever the status."""
    body = answer.json()
    if not isinstance(body, dict):
        raise UnreadableAnswer("no object")
    if "error" in body or answer.status >= 400:
        code = str(body.get("error"))[:40]
        if code == "invalid_grant":
            raise RenewalRefused(f"oauth: {code}")
        raise CRMAuthFailed(f"oauth: HTTP {answer.status}, {code}")
    return parse(_PAIR, body)
