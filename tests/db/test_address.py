"""Addresses of PostgreSQL and Redis as people paste them: taken, or refused with a word that says why."""

from __future__ import annotations

import ssl

import pytest

from db.address import read_database_address
from db.redis_client import read_redis_address


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_providers_scheme_leads_to_the_driver(scheme):
    address = read_database_address(f"{scheme}://owner:p%40ss@db.example:6432/salon?sslmode=require")

    assert address.url.drivername == "postgresql+asyncpg"
    assert (address.url.username, address.url.password, address.url.host) == ("owner", "p@ss", "db.example")
    assert (address.url.port, address.url.database, dict(address.url.query)) == (6432, "salon", {})
    assert address.arguments == {"ssl": "require"}


def test_several_hosts_are_given_to_the_driver_each_with_its_port():
    address = read_database_address(
        "postgresql://owner:x@one.example:6432,two.example/salon?target_session_attrs=read-write&sslmode=verify-full"
    )

    assert address.url.query["host"] == ("one.example:6432", "two.example:5432")
    assert address.url.query["target_session_attrs"] == "read-write"
    context = address.arguments["ssl"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_socket_and_an_address_without_options_stay_as_they_are():
    address = read_database_address("postgresql+asyncpg://owner@/ai_admin?host=/run/postgresql")

    assert address.url.query["host"] == "/run/postgresql"
    assert address.arguments == {}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("mysql://u:canary@h/d", "must begin with postgresql://"),
        ("canary", "must begin with postgresql://"),
        ("postgresql://u:canary@h", "names no database"),
        ("postgresql://u:canary@h:port/d", "%40"),
        ("postgresql://u:canary@h/d?sslmode=strict", "sslmode is one of"),
        ("postgresql://u:canary@h/d?sslrootcert=/x.crt", "want an sslmode"),
        ("postgresql://u:canary@h/d?sslmode=verify-full&sslrootcert=/no/such.crt", "one of the files is not there"),
        ("postgresql://u:canary@h/d?sslmode=require&sslkey=/x.key", "sslkey wants an sslcert"),
        ("postgresql://u:canary@h/d?pgbouncer=true", "pgbouncer: no such option"),
        ("postgresql://u:canary@h/d?channel_binding=require", "leave it out"),
    ],
)
def test_what_the_driver_cannot_be_given_is_refused_and_not_shown(address, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_database_address(address)
    assert "canary" not in str(refused.value)


def test_a_cluster_and_sentinels_are_read_with_their_secrets():
    cluster = read_redis_address("rediss+cluster://u:p%40ss@a.example:7000,[::1]:7001,c.example?ssl_ca_certs=/ca.crt")
    house = read_redis_address(
        "redis+sentinel://:secret@a.example,b.example:26380/salons/2?sentinel_username=s&sentinel_password=t"
    )

    assert cluster.nodes == (("a.example", 7000), ("::1", 7001), ("c.example", 6379))
    assert cluster.tls
    assert cluster.options == {"username": "u", "password": "p@ss", "db": 0, "ssl_ca_certs": "/ca.crt"}
    assert house.nodes == (("a.example", 26379), ("b.example", 26380))
    assert (house.master, house.options) == ("salons", {"password": "secret", "db": 2})
    assert house.sentinel_options == {"username": "s", "password": "t"}


@pytest.mark.parametrize("address", ["redis://h:6379/0", "rediss://u:p@h", "unix:///run/redis.sock?db=1", "redis://h"])
def test_one_servers_address_is_the_clients_to_read(address):
    assert read_redis_address(address) is None


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://u:canary@h", "must begin with redis://"),
        ("canary", "must begin with redis://"),
        ("redis+ring://u:canary@h", "must begin with redis://"),
        ("redis://u:canary@", "names no host"),
        ("redis://u:canary@h:port", "cannot be read"),
        ("redis://u:canary@h/first", "the database is a number"),
        ("redis://u:canary@h,i", "several hosts are a Cluster's"),
        ("redis+cluster://u:canary@h:port", "each node is host:port"),
        ("redis+cluster://u:canary@,", "each node is host:port"),
        ("redis+cluster://u:canary@h/1", "the database 0 alone"),
        ("redis+cluster://u:canary@h?sentinel_password=x", "for redis\\+sentinel:// only"),
        ("redis+cluster://u:canary@h?retries=4", "retries: no such option"),
        ("redis+cluster://u:canary@h?ssl_ca_certs=/x", "for rediss\\+cluster:// only"),
        ("redis+sentinel://u:canary@h:26379", "the master's name"),
        ("redis+sentinel://u:canary@h:26379/salons/x", "the database is a number"),
    ],
)
def test_an_address_that_no_client_can_be_made_of_is_refused_and_not_shown(address, says):
    with pytest.raises(ValueError, match=says) as refused:
        read_redis_address(address)
    assert "canary" not in str(refused.value)
