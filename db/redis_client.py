"""The client of Redis, made from its address: one server, a Cluster, or a master that Sentinels name.

redis://[user:password@]host:port[/db], rediss://… the same over TLS, unix://path
redis+cluster://[user:password@]host:port,host:port,…
redis+sentinel://[user:password@]host:port,host:port,…/master[/db]; rediss+cluster://, rediss+sentinel:// over TLS.

The user and password are those of Redis itself; Sentinels that want their own are given them with
`?sentinel_username=…&sentinel_password=…`. Of a Cluster some nodes are enough: they name the others.
(https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/,
https://redis.io/docs/latest/develop/reference/sentinel-clients/)
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio import Redis, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from db.redis_cluster import Cluster
from db.redis_errors import CountingRetry

_CONNECT_LIMIT_S = 2.0
# BLPOP waits up to a second on purpose; the socket's own limit must be longer.
_SOCKET_LIMIT_S = 5.0
_KNOWN_ALIVE_S = 1.0
_PORT, _SENTINEL_PORT = 6379, 26379
_SENTINELS_OWN = ("sentinel_username", "sentinel_password")
_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname", "client_name", "protocol"}
)


class _Kind(StrEnum):
    SINGLE = "single"
    CLUSTER = "cluster"
    SENTINEL = "sentinel"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """What an address says. `options` are the arguments of a connection, the password among them."""

    kind: _Kind
    nodes: tuple[tuple[str, int], ...]
    tls: bool
    options: dict[str, Any]
    master: str = ""
    sentinel_options: dict[str, Any]


def read_redis_address(url: str) -> RedisAddress | None:
    """Read the address of a Cluster or of Sentinels; None: one server, whose address is the client's to read.

    Raises ValueError with what is wrong, which never quotes the address: it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    plain, _, kind = scheme.partition("+")
    if not separator or (plain not in ("redis", "rediss") and scheme != "unix") or kind not in ("", *_Kind):
        raise ValueError(
            "must begin with redis://, rediss://, unix://, redis+cluster://, rediss+cluster://, redis+sentinel:// or "
            "rediss+sentinel://"
        )
    if not kind or kind == _Kind.SINGLE:
        _require_single(url)
        return None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, hosts = authority.rpartition("@")
    parts = urlsplit(f"//{user}{at}host{rest.removeprefix(authority)}")
    default = _SENTINEL_PORT if kind == _Kind.SENTINEL else _PORT
    nodes = tuple(_node(text.strip(), default) for text in hosts.split(","))
    steps = [unquote(step) for step in parts.path.split("/") if step]
    master = _master(steps) if kind == _Kind.SENTINEL else ""
    db = _number(steps[1] if kind == _Kind.SENTINEL and len(steps) == 2 else "0")
    if kind == _Kind.CLUSTER and steps not in ([], ["0"]):
        raise ValueError("a Cluster has the database 0 alone: nothing may stand behind its nodes")
    own, options = _options(parts.query)
    if plain == "redis" and any(name.startswith("ssl") for name in options):
        raise ValueError(f"ssl options are for rediss+{kind}:// only")
    if own and kind == _Kind.CLUSTER:
        raise ValueError(f"{' and '.join(sorted(own))} are for redis+sentinel:// only")
    given = parse_url(f"{plain}://{user}{at}host/{db}?{urlencode(options)}")
    for name in ("host", "port", "connection_class"):
        given.pop(name, None)  # type: ignore[misc]
    return RedisAddress(
        kind=_Kind(kind),
        nodes=nodes,
        tls=plain == "rediss",
        options=dict(given),
        master=master,
        sentinel_options={name.removeprefix("sentinel_"): value for name, value in own.items()},
    )


class _Pool(ConnectionPool):
    """A pool that does not look into every connection before it gives it out, which took a third of each command.

    The look tells whether the server has closed it, or left something to be read. The first the command itself finds
    out, and is sent once more; the second is never so, as a connection whose answer was not awaited is closed.
    """

    def __init__(self, *classes: Any, **options: Any) -> None:
        super().__init__(*classes, **options)
        self._used_at: dict[AbstractConnection, float] = {}

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        used_at = self._used_at.get(connection)
        if used_at is None or not connection.is_connected or time.monotonic() - used_at > _KNOWN_ALIVE_S:
            await super().ensure_connection(connection)

    async def release(self, connection: AbstractConnection) -> None:
        await super().release(connection)
        self._used_at[connection] = time.monotonic()


@asynccontextmanager
async def open_redis(url: str) -> AsyncIterator[Redis]:
    """Yield a client; nothing is connected yet. Raises ValueError where the address cannot be used.

    Every client behaves as one server's: its errors are RedisError, its limits of time the same, and nothing is tried
    again for long. A Cluster's is not a `Redis` by type, but has all of it that is used here.
    """
    address = read_redis_address(url)
    limits: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_LIMIT_S,
        "socket_timeout": _SOCKET_LIMIT_S,
        # The client's own retries wait for seconds; everything that asks Redis knows what to do without it.
        "retry": CountingRetry(NoBackoff(), 1),
    }
    async with AsyncExitStack() as stack:
        if address is None:
            pool = _Pool.from_url(url, decode_responses=True, **limits)
            stack.push_async_callback(pool.aclose)
            client = Redis(connection_pool=pool)
        elif address.kind is _Kind.CLUSTER:
            cluster = _cluster(address, limits)
            stack.push_async_callback(cluster.finish)
            client = cast("Redis", cluster)
        else:
            sentinel = _sentinel(address, limits)
            for one in sentinel.sentinels:
                stack.push_async_callback(one.aclose)
            client = sentinel.master_for(address.master)
        stack.push_async_callback(client.aclose)
        yield client


def _cluster(address: RedisAddress, limits: dict[str, Any]) -> Cluster:
    options = {name: value for name, value in address.options.items() if name != "db"}
    arguments = {**options, **limits, "decode_responses": True, "ssl": address.tls}
    nodes = [ClusterNode(host, port) for host, port in address.nodes]
    # Slots that nobody serves fail their own keys, not all of them.
    # The given names are asked again where all that is known is gone: behind them may be other machines by then.
    return Cluster(nodes, arguments, require_full_coverage=False, dynamic_startup_nodes=False, **arguments)


def _sentinel(address: RedisAddress, limits: dict[str, Any]) -> Sentinel:
    tls = {name: value for name, value in address.options.items() if name.startswith("ssl")}
    own = {**tls, **address.sentinel_options, **limits, "retry": Retry(NoBackoff(), 0), "ssl": address.tls}
    # A Sentinel that hangs must not keep the next one from being asked for long.
    own["socket_timeout"] = _CONNECT_LIMIT_S
    return Sentinel(  # type: ignore[no-untyped-call]
        list(address.nodes),
        sentinel_kwargs=own,
        decode_responses=True,
        **({"ssl": True} if address.tls else {}),
        **address.options,
        **limits,
    )


def _require_single(url: str) -> None:
    try:
        parts = urlsplit(url)
        given = parse_url(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError("the host, the port or an option of the address cannot be read") from error
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("several hosts are a Cluster's or Sentinels': redis+cluster://… or redis+sentinel://…/master")
    if parts.scheme == "unix":
        if not given.get("path"):
            raise ValueError("unix:// wants the path of the socket")
    elif not given.get("host"):
        raise ValueError("the address names no host")
    elif parts.path.strip("/"):
        _number(parts.path.strip("/"))


def _node(text: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("each node is host:port, several are parted by commas") from error
    if not host:
        raise ValueError("each node is host:port, several are parted by commas")
    return host, default if port is None else port


def _master(steps: list[str]) -> str:
    if not 1 <= len(steps) <= 2:
        raise ValueError("behind the Sentinels stands the master's name, and a database if it is not 0: …/mymaster/0")
    return steps[0]


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("the database is a number")
    return int(text)


def _options(query: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is the Sentinels' own, and the rest."""
    given = dict(parse_qsl(query))
    unknown = set(given) - _OPTIONS - set(_SENTINELS_OWN)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such option; there are {', '.join(sorted(_OPTIONS))}")
    own = {name: given.pop(name) for name in _SENTINELS_OWN if name in given}
    return own, given
