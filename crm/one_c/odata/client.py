"""The interface's calls: paging, keys, versions, posting. Answers are read here, by the readers of whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from crm.base import Pace
from crm.errors import CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, UnreadableAnswer
from crm.one_c.odata.access import INTERFACE, Access
from crm.one_c.odata.query import address, all_of_these, entity
from crm.one_c.odata.refusals import explain, explain_posting, require_success
from crm.one_c.odata.wire import Row

T = TypeVar("T")
Reader = Callable[[Row], T]
Options = Sequence[tuple[str, str]]

PAGE = 250
MOST_PAGES = 80
AT_ONCE = 2
"""Calls side by side: each may take a licence of the base, and the base is slow rather than limited."""


class ODataClient:
    """Calls for one base. Raises the CRMError tree only."""

    def __init__(self, http: CRMHttp, pace: Pace, access: Access) -> None:
        self._headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {access.authorization.get_secret_value()}",
        }

        def connect(explaining: Callable[[Answer], Exception | None]) -> CRMConnection:
            return CRMConnection(
                http,
                crm="1c",
                base_url=access.url + INTERFACE,
                secrets=(access.password, access.authorization),
                pace=pace,
                limits=(),
                explain=explaining,  # type: ignore[arg-type]
            )

        self._connection = connect(explain)
        self._posting = connect(explain_posting)

    # ---- reading

    async def list_rows(
        self,
        operation: str,
        resource: str,
        read: Reader[T],
        *,
        select: Sequence[str],
        where: Sequence[str] = (),
        order: Sequence[str] = ("Ref_Key",),
        allowed_only: bool = False,
        private: tuple[str, ...] = (),
    ) -> list[T]:
        """Return all rows, page by page: there is no server's own paging, and `$inlinecount` forgets `$top` (17.4.6.2).

        `order` has to name every row once, or pages overlap. Raises CRMUnavailable where there is no end of them.
        """
        options = [
            ("$select", ",".join(dict.fromkeys(select))),
            ("$filter", all_of_these(where)),
            ("$orderby", ",".join(order)),
            ("allowedOnly", "true" if allowed_only else ""),
        ]

        def decode(answer: Answer) -> list[T]:
            require_success(answer, operation=operation)
            return [read(one) for one in _rows_of(answer)]

        found: list[T] = []
        for page in range(MOST_PAGES):
            window = [("$top", str(PAGE)), ("$skip", str(page * PAGE) if page else "")]
            rows = await self._read(operation, resource, decode, [*options, *window], private)
            found += rows
            if len(rows) < PAGE:
                return found
        raise CRMUnavailable(f"{operation}: more than {MOST_PAGES * PAGE} rows")

    async def get_one(self, operation: str, resource: str, key: str, read: Reader[T]) -> T:
        """Return an entity with all its properties. Raises CRMNotFound."""

        def decode(answer: Answer) -> T:
            require_success(answer, operation=operation)
            return read(_row_of(answer))

        return await self._read(operation, entity(resource, key), decode)

    async def list_published(self) -> frozenset[str]:
        """Return the names of what is switched on."""

        def decode(answer: Answer) -> frozenset[str]:
            require_success(answer, operation="service_document")
            return frozenset(row.text("name") for row in _rows_of(answer))

        return await self._read("service_document", "", decode)

    async def read_metadata(self, read: Callable[[bytes], T]) -> T:
        """Return what is read from `$metadata`, which is XML whatever is asked (17.4.7)."""

        def decode(answer: Answer) -> T:
            require_success(answer, operation="metadata")
            return read(answer.body)

        return await self._read("metadata", "$metadata", decode)

    # ---- writing: once, whatever comes

    async def create(
        self, operation: str, resource: str, body: Mapping[str, object], *, private: tuple[str, ...] = ()
    ) -> str:
        """Write a new entity and return its key. Raises KeyTaken where the key that was sent is there already."""

        def decode(answer: Answer) -> str:
            require_success(answer, operation=operation)
            key = _row_of(answer).key("Ref_Key")
            if not key:
                raise UnreadableAnswer("created without a key")
            return key

        return await self._write(operation, "POST", address(resource), decode, body=body, private=private)

    async def change(
        self,
        operation: str,
        resource: str,
        key: str,
        body: Mapping[str, object],
        *,
        version: str,
        private: tuple[str, ...] = (),
    ) -> None:
        """Change the named properties of the version that was read. Raises Changed, nothing done, for a later one."""
        await self._write(
            operation,
            "PATCH",
            address(entity(resource, key)),
            _done(operation),
            body=body,
            headers={"If-Match": version},
            private=private,
        )

    async def post(self, resource: str, key: str, *, private: tuple[str, ...] = ()) -> None:
        """Post a document, not operationally (that would want its date to be now). Raises PostingRefused."""
        path = address(f"{entity(resource, key)}/Post", [("PostingModeOperational", "false")])
        await self._write("post", "POST", path, _done("post"), posting=True, private=private)

    async def unpost(self, resource: str, key: str) -> None:
        path = address(f"{entity(resource, key)}/Unpost")
        await self._write("unpost", "POST", path, _done("unpost"), posting=True)

    async def _read(
        self,
        operation: str,
        resource: str,
        decode: Callable[[Answer], T],
        options: Options = (),
        private: tuple[str, ...] = (),
    ) -> T:
        path = address(resource, options) if resource != "$metadata" else "/$metadata"
        call = Call(operation=operation, method="GET", path=path, safe=True, headers=self._headers, private=private)
        return await self._connection.call(call, decode)

    async def _write(
        self,
        operation: str,
        method: str,
        path: str,
        decode: Callable[[Answer], T],
        *,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        private: tuple[str, ...] = (),
        posting: bool = False,
    ) -> T:
        call = Call(
            operation=operation,
            method=method,
            path=path,
            safe=False,
            headers={**self._headers, **(headers or {})},
            json=body,
            private=private,
        )
        return await (self._posting if posting else self._connection).call(call, decode)


def _done(operation: str) -> Callable[[Answer], None]:
    """What a success answers differs by release (the entity, or nothing): only the status counts."""
    return lambda answer: require_success(answer, operation=operation)


def _row_of(answer: Answer) -> Row:
    body = answer.json()
    if not isinstance(body, dict):
        raise UnreadableAnswer("the answer is no entity")
    return Row(body)


def _rows_of(answer: Answer) -> tuple[Row, ...]:
    return _row_of(answer).rows("value")
