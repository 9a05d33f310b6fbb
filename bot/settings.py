"""The settings tree: the only reader of the environment. Refuses loudly what must not run in production."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crm.lines import Line
from db.address import read_database_address
from db.errors import SecretError
from db.kms import checked_url
from db.redis_client import read_redis_address

PREFIX = "AI_ADMIN_"
_DRAIN_S = 10
"""Two looks of a balancer that asks every five seconds."""
_OF_THE_PLATFORM = (f"{PREFIX}WHATSAPP_API_URL", f"{PREFIX}CRM_PROXIES")
"""Names that look like a company's, and are the platform's own."""


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class DatabasePooler(StrEnum):
    NONE = "none"
    TRANSACTION = "transaction"


class ModelProvider(StrEnum):
    GEMINI = "gemini"
    OPENAI = "openai"
    """Any endpoint that speaks OpenAI's chat completions."""


class SettingsError(Exception):
    """The settings cannot be used; the message says each fault and what to do."""


class Settings(BaseSettings):
    """See docs/install.md, which lists every field."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True
    )

    mode: Mode = Mode.DEVELOPMENT
    data_dir: Path = Path(".ai-admin")
    database_url: str | None = None
    database_replica_url: str | None = None
    database_pooler: DatabasePooler = DatabasePooler.NONE
    database_citus: bool = False
    redis_url: str | None = None
    master_keys: SecretStr | None = None
    vault_url: str | None = None
    vault_token: SecretStr | None = None
    vault_key: str = "ai-admin"
    vault_mount: str = "transit"
    vault_ca_file: Path | None = None
    actor: str | None = None
    public_url: str | None = None
    voice_public_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    gemini_api_key: SecretStr | None = None
    gemini_model: str = "gemini-3.8-flash"
    gemini_fallback_model: str | None = "gemini-3.5-flash-lite"
    gemini_api_url: str | None = None
    gemini_api_version: str = "v1"
    gemini_cache_from_chars: int | None = Field(40_000, ge=1000)
    model_provider: ModelProvider = ModelProvider.GEMINI
    openai_api_key: SecretStr | None = None
    openai_api_url: str = "https://api.openai.com/v1"
    openai_model: str | None = None
    openai_fallback_model: str | None = None
    telegram_api_url: str | None = None
    whatsapp_api_url: str | None = None
    log_format: LogFormat | None = None
    admin_token: SecretStr | None = None
    metrics_token: SecretStr | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    crm_proxies: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    allowed_private_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    worker_metrics_port: int | None = Field(None, ge=0, le=65535)
    drain_seconds: float | None = Field(None, ge=0, le=300)
    finish_seconds: float = Field(10, gt=0, le=3600)

    # How much one process does at once, and how long it may take.
    turns_at_once: int = Field(50, ge=1, le=1000)
    turn_rounds: int = Field(8, ge=1, le=20)
    turn_seconds: float = Field(20, gt=0, le=120)
    quiet_seconds: float = Field(1.0, ge=0, le=30)
    work_tries: int = Field(5, ge=1, le=100)
    voice_seconds: float = Field(180, gt=0, le=600)
    media_megabytes: float = Field(10, gt=0, le=14)
    heard_words_minutes: float = Field(30, gt=0, le=1440)
    client_messages_per_minute: int = Field(20, ge=1, le=1000)

    # Development only: one company from the environment.
    telegram_token: SecretStr | None = None
    crm_type: str | None = None

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        """Read a comma-separated list of addresses or networks."""
        if not isinstance(value, str):
            return value
        names = tuple(name.strip() for name in value.split(",") if name.strip())
        for name in names:
            ip_network(name, strict=False)
        return names

    @field_validator("crm_proxies", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        """Read a comma-separated list of proxies and addresses of this machine; a fault never shows them."""
        if not isinstance(value, str):
            return value
        texts = tuple(SecretStr(text.strip()) for text in value.split(",") if text.strip())
        for text in texts:
            Line.of(text)
        return texts

    @field_validator("allowed_private_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        """Read a comma-separated list of names or IP addresses: each is meant by itself, patterns name nobody."""
        if not isinstance(value, str):
            return value
        names = frozenset(name.strip().lower().rstrip(".") for name in value.split(",") if name.strip())
        if any(not name.replace("-", "").replace(".", "").replace(":", "").isalnum() for name in names):
            raise ValueError("must be names or IP addresses of machines, without scheme, port, path or wildcard")
        return names

    @property
    def voice_url(self) -> str | None:
        """Return where telephony providers reach the process that answers calls."""
        return self.voice_public_url or self.public_url

    @field_validator("public_url", "voice_public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// (http:// only for tests on this machine)")
        return value.rstrip("/") if value else None

    @model_validator(mode="after")
    def _provider(self) -> Self:
        if self.model_provider is ModelProvider.OPENAI and self.openai_model is None:
            raise ValueError(f"{PREFIX}OPENAI_MODEL is not set: name the model of {self.openai_api_url}")
        return self

    @field_validator("database_url", "database_replica_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        """Refuse an address that the driver cannot be given; a fault never shows it."""
        if value is not None:
            read_database_address(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        """Refuse an address that no client can be made of; a fault never shows it."""
        if value is not None:
            read_redis_address(value)
        return value

    @field_validator("vault_url")
    @classmethod
    def _safe_for_a_token(cls, value: str | None) -> str | None:
        """Refuse an address that Vault's token would cross the network to unencrypted; a fault never shows it."""
        try:
            return checked_url(value) if value is not None else None
        except SecretError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _vault(self) -> Self:
        if self.vault_url is not None and self.vault_token is None:
            raise ValueError(f"{PREFIX}VAULT_TOKEN is not set: {PREFIX}VAULT_URL is, and nothing is to be had without")
        return self

    @model_validator(mode="after")
    def _production(self) -> Self:
        if self.mode is not Mode.PRODUCTION:
            return self
        if self.master_keys is None:
            raise ValueError(
                f"{PREFIX}MASTER_KEYS is not set. Production encrypts every secret with it. "
                "Make one with `ai-admin keys new` and keep it where the backups are not"
            )
        return self

    @property
    def drain(self) -> timedelta:
        """Return how long a gateway that was asked to end serves on. Nobody balances a machine of development."""
        seconds = self.drain_seconds
        if seconds is None:
            seconds = _DRAIN_S if self.mode is Mode.PRODUCTION else 0
        return timedelta(seconds=seconds)

    @property
    def finish(self) -> timedelta:
        """Return how long requests and calls under way may take once the gateway listens no more."""
        return timedelta(seconds=self.finish_seconds)

    @property
    def has_model(self) -> bool:
        """Say whether anything can be asked: by a key, or at another address, which may need none."""
        if self.model_provider is ModelProvider.OPENAI:
            return True
        return self.gemini_api_key is not None or self.gemini_api_url is not None

    @property
    def model_name(self) -> str:
        """The model that is asked first."""
        return self.openai_model or "" if self.model_provider is ModelProvider.OPENAI else self.gemini_model

    @property
    def effective_log_format(self) -> LogFormat:
        return self.log_format or (LogFormat.JSON if self.mode is Mode.PRODUCTION else LogFormat.CONSOLE)


def load_settings(environment: Mapping[str, str] | None = None, env_file: str | None = ".env") -> Settings:
    """Read the settings once. Raises SettingsError, which names every fault."""
    environment = os.environ if environment is None else environment
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["msg"]) for fault in error.errors()]
        raise SettingsError("\n".join(faults)) from None
    if settings.mode is Mode.PRODUCTION:
        refused = tenant_settings(environment, env_file)
        if refused:
            raise SettingsError(
                f"{', '.join(sorted(refused))}: channel and CRM credentials are not taken from the environment in "
                "production. Register them with `ai-admin channel add` and `ai-admin crm set`, and unset these."
            )
    return settings


def tenant_settings(environment: Mapping[str, str], env_file: str | None = ".env") -> dict[str, str]:
    """Return what describes one company's channels and CRM in the environment or the `.env` file."""
    found: dict[str, str] = {}
    for name, value in {**_env_file_values(env_file), **environment}.items():
        upper = name.upper()
        if not value or upper in _OF_THE_PLATFORM:
            continue
        if upper == f"{PREFIX}TELEGRAM_TOKEN" or upper.startswith((f"{PREFIX}WHATSAPP_", f"{PREFIX}CRM_")):
            found[upper] = value
    return found


def _env_file_values(env_file: str | None) -> dict[str, str]:
    from dotenv import dotenv_values

    if env_file is None or not Path(env_file).is_file():
        return {}
    return {name: value for name, value in dotenv_values(env_file).items() if value is not None}


def _fault(location: tuple[int | str, ...], message: str) -> str:
    name = f"{PREFIX}{str(location[0]).upper()}: " if location else ""
    return f"{name}{message.removeprefix('Value error, ')}"
