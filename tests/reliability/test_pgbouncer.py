"""PgBouncer in transaction mode, a real one with few server connections: all works, and nobody inherits a role."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlalchemy import make_url, text

from bench.pgbouncer import find_pgbouncer, pgbouncer
from bot.settings import DatabasePooler, Mode
from db.crypto import new_master_key
from db.engine import Database
from db.errors import DatabaseUnavailable, UpgradeFailed
from db.upgrade import LOGIN, current, head

MUST_RUN = os.environ.get("AI_ADMIN_PGBOUNCER_TEST") == "required"
pytestmark = pytest.mark.skipif(
    not MUST_RUN and find_pgbouncer() is None, reason="no PgBouncer here: deploy/pgbouncer.sh brings it"
)
SERVER_CONNECTIONS = 3
AT_ONCE = 40


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder that PgBouncer can read: pytest's are closed to others, and it gives up being root."""
    made = tmp_path / "pgbouncer"
    made.mkdir()
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o711)
    return made


@pytest.fixture
def pooled(database_url, folder) -> str:
    """The address of the test's database behind PgBouncer, for the login that owns nothing."""
    url = make_url(database_url)
    sockets = Path(str(url.query["host"]))
    with pgbouncer(folder, sockets=sockets, login=LOGIN, server_connections=SERVER_CONNECTIONS) as port:
        yield f"postgresql+asyncpg://{LOGIN}@127.0.0.1:{port}/{url.database}"


@pytest.fixture
def settings(settings, pooled):
    """Production's: the schema stands already, and the processes only look at it, through the pooler."""
    return settings.model_copy(
        update={
            "mode": Mode.PRODUCTION,
            "master_keys": SecretStr(new_master_key()),
            "database_url": pooled,
            "database_pooler": DatabasePooler.TRANSACTION,
            "allowed_private_hosts": frozenset({"127.0.0.1"}),
        }
    )


@pytest.fixture
async def pooled_database(pooled):
    database = Database(pooled, pooler="transaction")
    yield database
    await database.close()


async def ask(url: str, statement: str) -> asyncpg.Record:
    """Ask as anybody does who comes to a server connection after us."""
    plain = make_url(url)
    connection = await asyncpg.connect(
        user=plain.username, host=plain.host, port=plain.port, database=plain.database, statement_cache_size=0
    )
    try:
        async with connection.transaction():
            return await connection.fetchrow(statement)
    finally:
        await connection.close()


async def test_clients_book_through_it(house):
    first, second = house.client(), house.client("Ольга")

    await asyncio.gather(first.reaches_proposal(), second.says("Здравствуйте"))
    receipt = await first.presses("Да, записать")

    assert "15:00" in receipt.text
    assert len(house.records()) == 1


async def test_many_transactions_of_two_companies_at_once_see_their_own_rows(core, make_channel, pooled_database):
    channels = [await make_channel("salon"), await make_channel("clinic")]

    async def count(number: int) -> tuple[int, int]:
        channel = channels[number % 2]
        async with pooled_database.company(channel.company_id) as tx:
            mine = await tx.connection.scalar(text("SELECT count(*) FROM company_channels"))
            role = await tx.connection.scalar(text("SELECT current_user"))
            company = await tx.connection.scalar(text("SELECT current_setting('app.company_id')"))
        assert (role, company) == ("ai_admin_app", str(channel.company_id))
        return mine

    assert await asyncio.gather(*map(count, range(AT_ONCE))) == [1] * AT_ONCE


async def test_no_role_and_no_company_stays_with_a_server_connection(core, channel, pooled, pooled_database):
    async def use(number: int) -> int:
        scopes = [pooled_database.worker, pooled_database.intake, lambda: pooled_database.company(channel.company_id)]
        async with scopes[number % 3]() as tx:
            return await tx.connection.scalar(text("SELECT pg_backend_pid()"))

    async def fail(_: int) -> None:
        with pytest.raises(ZeroDivisionError):
            async with pooled_database.company(channel.company_id):
                raise ZeroDivisionError

    ours = set(await asyncio.gather(*map(use, range(AT_ONCE))))
    await asyncio.gather(*map(fail, range(AT_ONCE)))
    statement = (
        "SELECT pg_backend_pid() AS pid, current_user AS who, current_setting('app.company_id', true) AS company,"
        " current_setting('role') AS role, pg_sleep(0.01)"
    )
    after = await asyncio.gather(*(ask(pooled, statement) for _ in range(AT_ONCE)))

    assert 1 <= len(ours) <= SERVER_CONNECTIONS
    assert ours & {row["pid"] for row in after}, "the same server connections are looked at"
    assert {(row["who"], row["role"]) for row in after} == {(LOGIN, "none")}
    assert {row["company"] for row in after} <= {None, ""}


async def test_a_transaction_that_is_cut_in_the_middle_leaves_nothing(core, channel, pooled, pooled_database):
    entered = asyncio.Event()

    async def hang() -> None:
        async with pooled_database.company(channel.company_id) as tx:
            entered.set()
            await tx.connection.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    with pytest.raises((asyncio.CancelledError, DatabaseUnavailable)):
        await task
    rows = [await ask(pooled, "SELECT current_user AS who, current_setting('role') AS role") for _ in range(5)]

    assert {(row["who"], row["role"]) for row in rows} == {(LOGIN, "none")}


async def test_the_schema_is_looked_at_by_one_process_after_another(pooled, monkeypatch):
    for _ in range(2 * SERVER_CONNECTIONS):
        # The driver names its statements by a count that every process begins anew; the server connection lives on.
        monkeypatch.setattr("asyncpg.connection._uid", 0)
        assert await current(pooled) == head()


@pytest.fixture
def certificate(folder) -> tuple[Path, Path]:
    """A certificate for `localhost`, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    unprotected = serialization.NoEncryption()
    (folder / "server.crt").write_bytes(made.public_bytes(pem))
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unprotected))
    return folder / "server.crt", folder / "server.key"


@pytest.fixture
def over_tls(database_url, folder, certificate) -> str:
    """The address behind a PgBouncer that wants TLS, as a provider prints it but for host and options."""
    url = make_url(database_url)
    sockets = Path(str(url.query["host"]))
    with pgbouncer(
        folder, sockets=sockets, login=LOGIN, server_connections=SERVER_CONNECTIONS, certificate=certificate
    ) as port:
        yield f"postgres://{LOGIN}@{{host}}:{port}/{url.database}?{{options}}"


async def test_addresses_as_providers_print_them_lead_over_tls(over_tls, certificate):
    root = f"sslrootcert={certificate[0]}"
    accepted = [
        ("localhost", f"sslmode=verify-full&{root}"),
        ("127.0.0.1", f"sslmode=verify-ca&{root}&target_session_attrs=any&application_name=ai-admin"),
        ("127.0.0.1", f"sslmode=require&{root}&connect_timeout=10"),
        ("127.0.0.1", "sslmode=require"),
        ("127.0.0.1", "ssl=require"),
    ]

    for host, options in accepted:
        assert await current(over_tls.format(host=host, options=options)) == head(), options


@pytest.mark.parametrize(
    ("host", "options"),
    [
        ("localhost", "sslmode=verify-full"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={root}"),
        ("127.0.0.1", "sslmode=disable"),
    ],
    ids=["a root that nobody trusts", "another name than the certificate's", "without TLS"],
)
async def test_a_server_that_does_not_prove_itself_is_not_talked_to(over_tls, certificate, host, options):
    address = over_tls.format(host=host, options=options.format(root=certificate[0]))
    database = Database(address, pooler="transaction")

    with pytest.raises((DatabaseUnavailable, UpgradeFailed)):
        await current(address)
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    await database.close()
