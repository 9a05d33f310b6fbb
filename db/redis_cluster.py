"""redis-py's asynchronous client of a Redis Cluster, made good for where one server's client is expected.

What it lacks, and what it does otherwise than a `Redis`, was read in the source of redis-py 7.4
(docs/decisions/0032-redis-clusters.md).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode, ClusterPipeline
from redis.cluster import PRIMARY, REPLICA
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException


class Cluster(RedisCluster):
    """redis-py's client of a Cluster, whose errors are RedisError, and which can listen."""

    def __init__(self, nodes: list[ClusterNode], listening: dict[str, Any], **arguments: Any) -> None:
        super().__init__(startup_nodes=nodes, **arguments)
        self._listening = listening
        self._under_way = set[asyncio.Future[Any]]()

    async def initialize(self) -> RedisCluster:
        anew = self._initialize
        try:
            with _as_redis_errors():
                await super().initialize()
        except IndexError as error:
            # What redis-py makes of nodes that serve no slot at all.
            raise RedisConnectionError("no node of the Cluster serves anything") from error
        if anew:
            self._unite()
        return self

    def _unite(self) -> None:
        """Let a node be one object wherever it is named, and be what it is now.

        When redis-py 7.4 has asked a Cluster again, the slots name new objects while the list of nodes keeps the old
        ones: connections of the first are never closed, and a replica that has become a master is not among the
        masters (whose keys are searched for a client's traces).
        """
        nodes, done = self.nodes_manager.nodes_cache, set[int]()
        for serving in self.nodes_manager.slots_cache.values():
            if id(serving) in done:
                continue
            done.add(id(serving))
            serving[:] = [nodes.get(node.name, node) for node in serving]
            for place, node in enumerate(serving):
                node.server_type = REPLICA if place else PRIMARY

    async def execute_command(self, *arguments: Any, **options: Any) -> Any:
        asking = super().execute_command(*arguments, **options)
        with _as_redis_errors():
            # Whoever waits for a bell leaves the server's queue with it, or would take another's ring.
            return await (asking if arguments[0] == "BLPOP" else self.to_its_end(asking))

    async def to_its_end(self, asking: Coroutine[Any, Any, Any]) -> Any:
        """Return what was asked for; whoever gives up waiting leaves the asking to go on until the socket's limit.

        redis-py loses the connection of a command that is cut in the middle: of a node that hangs, one for each try.
        """
        task = asyncio.ensure_future(asking)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # Nobody may be there any more to hear of it.

    async def finish(self) -> None:
        """Close for good."""
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.aclose()

    def pipeline(self, transaction: Any | None = None, shard_hint: Any | None = None) -> ClusterPipeline:
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # redis-py's own is as abstract

    async def ping(self, **_: Any) -> bool:
        """Say whether every master answers; a replica that is gone stops nothing."""
        return bool(await self.execute_command("PING", target_nodes=self.PRIMARIES))

    async def publish(self, channel: str, message: str, **_: Any) -> int:
        """Tell every listener, at whatever node it listens. redis-py has no asynchronous `publish` for Clusters."""
        return int(await self.execute_command("PUBLISH", channel, message))

    @asynccontextmanager
    async def pubsub(self) -> AsyncIterator[PubSub]:
        """Listen at any one node: what is published anywhere is told to all of them.

        redis-py has no asynchronous listener for Clusters. (https://redis.io/docs/latest/commands/publish/)
        """
        await self.initialize()
        node = random.choice(self.get_nodes())  # noqa: S311  nothing secret hangs on it
        async with Redis(host=node.host, port=int(node.port), **self._listening) as client, client.pubsub() as news:
            yield news


class _Pipeline(ClusterPipeline):
    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        with _as_redis_errors():
            client = cast("Cluster", self.cluster_client)
            answers: list[Any] = await client.to_its_end(super().execute(raise_on_error, allow_redirections))
            if any(isinstance(answer, RedisCluster.ERRORS_ALLOW_RETRY) for answer in answers):
                # As redis-py does where it raises: the next command asks the Cluster anew who serves what.
                await self.cluster_client.aclose()
            return answers


@contextmanager
def _as_redis_errors() -> Iterator[None]:
    """A Cluster that cannot be reached, or has slots that nobody serves, is for redis-py no RedisError."""
    try:
        yield
    except RedisClusterException as error:
        raise RedisConnectionError(str(error)) from error
