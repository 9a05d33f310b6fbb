"""The tables. `company_id` comes first in every key of every tenant table, so that the same schema is distributed by
company; the only global tables are `companies`, `webhook_tokens` and the schema's version."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

GLOBAL_TABLES = frozenset({"companies", "webhook_tokens", "alembic_version"})

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
_NOW = text("now()")
_OBJECT = text("'{}'::jsonb")
_ARRAY = text("'[]'::jsonb")


def _moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW)


def _company() -> Column[object]:
    return Column("company_id", Uuid, nullable=False)


def _of_company() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["company_id"], ["companies.id"], ondelete="CASCADE")


companies = Table(
    "companies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("plan", Text, nullable=False, server_default=text("'free'")),
    Column("plan_limits", JSONB, nullable=False, server_default=_OBJECT),
    Column("declared_channels", JSONB, nullable=False, server_default=_ARRAY),
    _moment("disabled_at"),
    _created(),
)

webhook_tokens = Table(
    "webhook_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("company_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    # Where one webhook serves several bots or numbers: "whatsapp:<phone number id>".
    Column("address", Text),
    _created(),
    ForeignKeyConstraint(
        ["company_id", "channel_id"], ["company_channels.company_id", "company_channels.id"], ondelete="CASCADE"
    ),
    Index("webhook_tokens_company_id_channel_id_idx", "company_id", "channel_id"),
    Index("webhook_tokens_address_idx", "address", postgresql_where=text("address IS NOT NULL")),
)

branches = Table(
    "branches",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text),
    Column("phone", Text),
    Column("time_zone", Text, nullable=False),
    Column("hours", JSONB),
    Column("crm_account_id", Text),
    Column("staff_chat", Text),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "key"),
    _of_company(),
)

company_agent_settings = Table(
    "company_agent_settings",
    metadata,
    _company(),
    Column("description", Text),
    Column("business_type", Text),
    Column("target_audience", Text),
    Column("highlights", Text),
    Column("services", JSONB, nullable=False, server_default=_ARRAY),
    Column("products", JSONB, nullable=False, server_default=_ARRAY),
    Column("faq", JSONB, nullable=False, server_default=_ARRAY),
    # Pairs of topic and text: a JSON object would lose their order.
    Column("policies", JSONB, nullable=False, server_default=_ARRAY),
    # Copies of the first branch's, for whoever reads the table by SQL; the branches are the truth.
    Column("hours", JSONB),
    Column("address", Text),
    Column("phone", Text),
    Column("time_zone", Text),
    Column("instructions", Text),
    Column("language", Text, nullable=False, server_default=text("'ru'")),
    Column("currency", Text, nullable=False, server_default=text("'RUB'")),
    Column("mode", Text, nullable=False, server_default=text("'always'")),
    Column("model", Text),
    Column("quiet_ms", Integer),
    Column("longest_gap_minutes", Integer),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("company_id"),
    _of_company(),
)

company_crm_settings = Table(
    "company_crm_settings",
    metadata,
    _company(),
    Column("type", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=_OBJECT),
    Column("secrets", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("company_id"),
    _of_company(),
)

company_channels = Table(
    "company_channels",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=_OBJECT),
    Column("secrets", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "type", "external_id"),
    _of_company(),
)

clients = Table(
    "clients",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    # E.164, proved by a channel: two dialogues with the same one are one person's.
    Column("phone", Text, nullable=False),
    _created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "phone"),
    _of_company(),
)

sessions = Table(
    "sessions",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("in_charge", Text, nullable=False, server_default=text("'agent'")),
    Column("client_name", Text),
    Column("language", Text),
    Column("client_id", Uuid),
    Column("language_chosen", Boolean, nullable=False, server_default=text("false")),
    Column("source", Text),
    Column("proved_phone", Text),
    Column("typed_phone", Text),
    _moment("greeted_at"),
    _moment("last_message_at"),
    Column("state", Text),
    Column("state_data", JSONB, nullable=False, server_default=_OBJECT),
    Column("state_version", BigInteger, nullable=False, server_default=text("0")),
    _moment("unreachable_at"),
    _created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "channel_id", "key"),
    ForeignKeyConstraint(
        ["company_id", "channel_id"], ["company_channels.company_id", "company_channels.id"], ondelete="CASCADE"
    ),
    Index("sessions_company_id_last_message_at_idx", "company_id", "last_message_at"),
    Index(
        "sessions_company_id_client_id_idx", "company_id", "client_id", postgresql_where=text("client_id IS NOT NULL")
    ),
)

messages = Table(
    "messages",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    _moment("at", nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("turn_id", Uuid, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("parts", JSONB, nullable=False, server_default=_ARRAY),
    Column("model", Text),
    Column("prompt_version", Text),
    PrimaryKeyConstraint("company_id", "id", "at"),
    Index("messages_company_id_dialogue_id_id_idx", "company_id", "dialogue_id", "id"),
    postgresql_partition_by="RANGE (at)",
)

accepted_updates = Table(
    "accepted_updates",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("dialogue_key", Text, nullable=False),
    Column("update_key", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    _moment("accepted_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("turn_id", Uuid),
    _moment("done_at"),
    _moment("dead_at"),
    Column("error", Text),
    PrimaryKeyConstraint("company_id", "id"),
    Index(
        "accepted_updates_waiting_idx",
        "company_id",
        "dialogue_id",
        "id",
        postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
    ),
    Index("accepted_updates_company_id_channel_id_update_key_idx", "company_id", "channel_id", "update_key"),
    Index("accepted_updates_dead_idx", "company_id", "id", postgresql_where=text("dead_at IS NOT NULL")),
)

update_keys = Table(
    "update_keys",
    metadata,
    _company(),
    Column("channel_id", Uuid, nullable=False),
    Column("update_key", Text, nullable=False),
    _moment("accepted_at", nullable=False),
    PrimaryKeyConstraint("company_id", "channel_id", "update_key"),
    Index("update_keys_company_id_accepted_at_idx", "company_id", "accepted_at"),
)

work = Table(
    "work",
    metadata,
    _company(),
    Column("dialogue_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("wake", BigInteger, nullable=False, server_default=text("1")),
    _moment("due_at"),
    _moment("lease_until"),
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lost_leases", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("company_id", "dialogue_id", "kind", "subject_id"),
    # The claim looks over all companies: the one index that does not begin with company_id.
    Index("work_due_at_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01},
)

replies = Table(
    "replies",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("dialogue_key", Text, nullable=False),
    Column("turn_id", Uuid),
    Column("payload", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'waiting'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("sent_parts", Integer, nullable=False, server_default=text("0")),
    Column("channel_message_ids", JSONB, nullable=False, server_default=_ARRAY),
    Column("window_closed", Boolean, nullable=False, server_default=text("false")),
    Column("error", Text),
    _created(),
    _moment("sent_at"),
    _moment("delivered_at"),
    _moment("read_at"),
    PrimaryKeyConstraint("company_id", "id"),
    Index("replies_waiting_idx", "company_id", "dialogue_id", "id", postgresql_where=text("status = 'waiting'")),
    Index("replies_company_id_turn_id_idx", "company_id", "turn_id"),
)

sent_messages = Table(
    "sent_messages",
    metadata,
    _company(),
    Column("channel_id", Uuid, nullable=False),
    # The messenger's own id: what it tells of the message later is found by it.
    Column("message_id", Text, nullable=False),
    Column("reply_id", Uuid, nullable=False),
    PrimaryKeyConstraint("company_id", "channel_id", "message_id"),
    ForeignKeyConstraint(["company_id", "reply_id"], ["replies.company_id", "replies.id"], ondelete="CASCADE"),
    Index("sent_messages_company_id_reply_id_idx", "company_id", "reply_id"),
)

turns = Table(
    "turns",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    _moment("at", nullable=False),
    Column("calls", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    Index("turns_company_id_at_idx", "company_id", "at"),
)

tool_calls = Table(
    "tool_calls",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("turn_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
    _moment("at", nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    Index("tool_calls_company_id_turn_id_idx", "company_id", "turn_id"),
)

intents = Table(
    "intents",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("action", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    _moment("created_at", nullable=False),
    _moment("called_at"),
    _moment("finished_at"),
    Column("crm_record_id", Text),
    Column("error", Text),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "external_id"),
    Index("intents_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

slot_claims = Table(
    "slot_claims",
    metadata,
    _company(),
    Column("branch_id", Uuid, nullable=False),
    Column("staff_id", Text, nullable=False),
    # The beginning of five minutes.
    _moment("cell", nullable=False),
    Column("intent_id", Uuid, nullable=False),
    _moment("expires_at", nullable=False),
    PrimaryKeyConstraint("company_id", "branch_id", "staff_id", "cell"),
    Index("slot_claims_company_id_intent_id_idx", "company_id", "intent_id"),
    Index("slot_claims_company_id_expires_at_idx", "company_id", "expires_at"),
)

appointments = Table(
    "appointments",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("crm_record_id", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    _moment("starts_at", nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("service_names", JSONB, nullable=False),
    Column("staff_name", Text, nullable=False),
    Column("client_name", Text, nullable=False),
    Column("visitor_name", Text),
    Column("phone", Text, nullable=False),
    Column("phone_proved", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    _created(),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "branch_id", "crm_record_id"),
    Index("appointments_company_id_dialogue_id_starts_at_idx", "company_id", "dialogue_id", "starts_at"),
    Index("appointments_company_id_phone_starts_at_idx", "company_id", "phone", "starts_at"),
)

handovers = Table(
    "handovers",
    metadata,
    _company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("summary", Text, nullable=False),
    _moment("created_at", nullable=False),
    _moment("resolved_at"),
    PrimaryKeyConstraint("company_id", "id"),
    Index("handovers_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)
