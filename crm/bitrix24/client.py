"""The portal's calls: methods as JSON, pages of fifty, batches, and the limits of the portal and of each method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from crm.account import Clock
from crm.base import Cache, Pace
from crm.bitrix24.access import Access
from crm.bitrix24.refusals import TokenRefused, explain, open_envelope, refusal
from crm.bitrix24.tokens import Tokens
from crm.bitrix24.wire import Wire, WireBatch
from crm.errors import CRMRateLimited, CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, UnreadableAnswer, parse

T = TypeVar("T", bound=Wire)
R = TypeVar("R")
Json = Mapping[str, Any]

BATCH = PAGE = 50
MOST_PAGES = 40
NEARLY_SPENT = 450.0
"""Seconds of execution of one method in ten minutes; at about 480 the portal refuses the method."""


class Bitrix24Client:
    """Asks one portal: 2 calls a second on end, ten at once (its bucket drains 2 a second)."""

    def __init__(self, http: CRMHttp, pace: Pace, cache: Cache, access: Access, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._scope = access.portal_scope
        self._api = CRMConnection(
            http,
            crm="bitrix24",
            base_url=access.base_url.get_secret_value(),
            secrets=access.credentials,
            pace=pace,
            limits=(Limit(name=f"bitrix24:{access.portal}", rate=2, per=timedelta(seconds=1), burst=10),),
            explain=explain,
        )
        self._tokens = None
        if access.application is not None:
            self._tokens = Tokens(http, pace, cache, access.application, scope=access.portal_scope, clock=clock)

    async def ask(
        self,
        method: str,
        body: Json,
        shape: type[T],
        *,
        safe: bool = True,
        private: tuple[str, ...] = (),
        empty_is_map: bool = False,
    ) -> T:
        """Call a method and read its `result`. `empty_is_map`: nothing found comes as PHP's empty list."""

        def decode(answer: Answer) -> tuple[Json, T]:
            opened = open_envelope(answer, operation=method)
            result = {} if empty_is_map and opened["result"] == [] else opened["result"]
            return opened, parse(TypeAdapter(shape), result)

        opened, result = await self._send(method, body, decode, safe=safe, private=private)
        await self._remember_time(method, opened)
        return result

    async def do(self, method: str, body: Json, *, safe: bool, private: tuple[str, ...] = ()) -> None:
        """Call a method of which only the success counts. `safe`: it may be repeated, as those that set may."""

        def decode(answer: Answer) -> Json:
            return open_envelope(answer, operation=method)

        await self._remember_time(method, await self._send(method, body, decode, safe=safe, private=private))

    async def ask_pages(self, method: str, body: Json, shape: type[T]) -> list[T]:
        """Call a listing method page by page. Raises CRMUnavailable where there is no end."""
        pages: list[T] = []
        start: int | None = 0
        while start is not None:

            def decode(answer: Answer) -> tuple[Json, T]:
                opened = open_envelope(answer, operation=method)
                return opened, parse(TypeAdapter(shape), opened["result"])

            opened, page = await self._send(method, {**body, "start": start}, decode, safe=True)
            await self._remember_time(method, opened)
            pages.append(page)
            start = _following(opened, start)
            if start is not None and len(pages) >= MOST_PAGES:
                raise CRMUnavailable(f"{method}: more than {MOST_PAGES} pages")
        return pages

    async def ask_all(self, method: str, body: Json, shape: type[T], ids: Callable[[T], Sequence[str]]) -> list[T]:
        """Call a listing of which no page is documented, though the vendor's examples hint at pages of fifty.

        A page of just that many is taken for a first one, and the next is asked for until it brings no new id: right
        whether the portal pages, says so (`next`), or answers all at once whatever `start` is.
        """
        pages: list[T] = []
        seen: set[str] = set()
        start = 0
        while True:

            def decode(answer: Answer) -> tuple[Json, T]:
                opened = open_envelope(answer, operation=method)
                return opened, parse(TypeAdapter(shape), opened["result"])

            opened, page = await self._send(method, {**body, "start": start} if start else body, decode, safe=True)
            await self._remember_time(method, opened)
            found = ids(page)
            if pages and seen.issuperset(found):
                return pages
            pages.append(page)
            seen.update(found)
            following = _following(opened, start)
            if following is None and len(found) != PAGE:
                return pages
            start = following or start + PAGE
            if len(pages) >= MOST_PAGES:
                raise CRMUnavailable(f"{method}: more than {MOST_PAGES} pages")

    async def ask_many(self, method: str, bodies: Mapping[str, Json], shape: type[T]) -> dict[str, T]:
        """Call one reading method with several bodies in batches of fifty. Raises the first refusal."""
        found: dict[str, T] = {}
        names = list(bodies)
        for first in range(0, len(names), BATCH):
            part = names[first : first + BATCH]
            commands = {name: f"{method}?{php_query(bodies[name])}" for name in part}
            batch = await self.ask("batch", {"halt": 0, "cmd": commands}, WireBatch)
            for name in part:
                if name in batch.errors:
                    error = batch.errors[name]
                    told = error if isinstance(error, dict) else {}
                    raise refusal(told.get("error"), told.get("error_description"), 400, operation=method)
                if name not in batch.result:
                    raise CRMUnavailable(f"{method}: the batch lacks an answer")
                try:
                    found[name] = parse(TypeAdapter(shape), batch.result[name])
                except UnreadableAnswer as error:
                    raise CRMUnavailable(f"{method}: {error}") from None
        return found

    async def _send(
        self, method: str, body: Json, decode: Callable[[Answer], R], *, safe: bool, private: tuple[str, ...] = ()
    ) -> R:
        """Call as a webhook, or with the application's token. One that is refused is renewed once: nothing was done."""
        await self._require_time(method)

        async def call(token: str | None) -> R:
            carried = dict(body) if token is None else {**body, "auth": token}
            hidden = private if token is None else (*private, token)
            return await self._api.call(
                Call(operation=method, method="POST", path=f"/{method}", safe=safe, json=carried, private=hidden),
                decode,
            )

        if self._tokens is None:
            return await call(None)
        token = await self._tokens.get()
        try:
            return await call(token)
        except TokenRefused:
            token = await self._tokens.get_another(token)
        return await call(token)

    async def _require_time(self, method: str) -> None:
        until = await self._cache.get(self._time_key(method))
        if until is not None:
            raise CRMRateLimited(
                f"{method}: not sent, its execution time at the portal is used up",
                retry_after=datetime.fromtimestamp(int(until), UTC) - self._clock(),
            )

    async def _remember_time(self, method: str, opened: Json) -> None:
        """Leave a method alone once its ten minutes are nearly spent. Errors and older portals tell no times."""
        time = opened.get("time")
        spent, reset = (
            (time.get("operating"), time.get("operating_reset_at")) if isinstance(time, dict) else (None, None)
        )
        if isinstance(spent, int | float) and isinstance(reset, int) and spent >= NEARLY_SPENT:
            rest = datetime.fromtimestamp(reset, UTC) - self._clock()
            if rest > timedelta(0):
                await self._cache.set(self._time_key(method), str(reset), ttl=min(rest, timedelta(minutes=10)))

    def _time_key(self, method: str) -> str:
        return f"{self._scope}:operating:{method}"


def php_query(value: Any, prefix: str = "") -> str:
    """Write nested parameters as PHP reads them in a batch's command: `a[b][0]=1`."""
    if isinstance(value, Mapping):
        pairs = [(f"{prefix}[{key}]" if prefix else str(key), one) for key, one in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [(f"{prefix}[{place}]", one) for place, one in enumerate(value)]
    else:
        return f"{quote(prefix)}={quote(str(value), safe='')}"
    return "&".join(php_query(one, name) for name, one in pairs)


def _following(opened: Json, start: int) -> int | None:
    following = opened.get("next")
    number = int(str(following)) if str(following).isdigit() else None
    return number if number is not None and number > start else None
