"""The tables. `company_id` comes first in every key of every tenant table, so that the same schema is distributed by
company; the only global tables are `companies`, `webhook_tokens` and the schema's version."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

import db.audit_models
import db.booking_models
import db.call_models
import db.console_models
import db.figures_models
import db.outbox_models
import db.outreach_models
import db.privacy_models
import db.role_models
import db.sick_models
import db.staff_models  # noqa: F401 (their tables belong to the same metadata)
from db.columns import ARRAY, NOW, OBJECT, ciphertext, company, created, metadata, moment, of_company

companies = Table(
    "companies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("plan", Text, nullable=False, server_default=text("'free'")),
    Column("plan_limits", JSONB, nullable=False, server_default=OBJECT),
    Column("declared_channels", JSONB, nullable=False, server_default=ARRAY),
    moment("disabled_at"),
    # How much is logged of the company's work at the moment, and until when.
    Column("log_level", Text),
    moment("log_level_until"),
    # Since when a person answers every client, and who said so; NULL: the agent does.
    moment("paused_at"),
    Column("paused_by", Text),
    created(),
)

webhook_tokens = Table(
    "webhook_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("company_id", Uuid, nullable=False),
    # One of the two: a messenger's channel, or the branch whose CRM tells of changes.
    Column("channel_id", Uuid),
    Column("branch_id", Uuid),
    # Where one webhook serves several bots or numbers: "whatsapp:<phone number id>".
    Column("address", Text),
    created(),
    ForeignKeyConstraint(
        ["company_id", "channel_id"], ["company_channels.company_id", "company_channels.id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["company_id", "branch_id"], ["branches.company_id", "branches.id"], ondelete="CASCADE"),
    CheckConstraint("num_nonnulls(channel_id, branch_id) = 1", name="one_of_two"),
    Index("webhook_tokens_company_id_channel_id_idx", "company_id", "channel_id"),
    Index("webhook_tokens_company_id_branch_id_idx", "company_id", "branch_id"),
    Index("webhook_tokens_address_idx", "address", postgresql_where=text("address IS NOT NULL")),
)

branches = Table(
    "branches",
    metadata,
    company(),
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
    of_company(),
)

company_agent_settings = Table(
    "company_agent_settings",
    metadata,
    company(),
    Column("description", Text),
    Column("business_type", Text),
    Column("target_audience", Text),
    Column("highlights", Text),
    Column("services", JSONB, nullable=False, server_default=ARRAY),
    Column("products", JSONB, nullable=False, server_default=ARRAY),
    Column("faq", JSONB, nullable=False, server_default=ARRAY),
    # Pairs of topic and text: a JSON object would lose their order.
    Column("policies", JSONB, nullable=False, server_default=ARRAY),
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
    Column("budget_soft_cents", Integer),
    Column("budget_hard_cents", Integer),
    Column("tell_of_crm_changes", Boolean, nullable=False, server_default=text("true")),
    Column("privacy", JSONB, nullable=False, server_default=OBJECT),
    Column("outreach", JSONB, nullable=False, server_default=OBJECT),
    Column("people", JSONB, nullable=False, server_default=OBJECT),
    Column("most_open_bookings", Integer, nullable=False, server_default=text("5")),
    # How many minutes before a visit; [] where the CRM reminds clients itself, NULL where nobody has said.
    Column("reminder_minutes", JSONB(none_as_null=True)),
    # Begin and end; NULL: the default.
    Column("quiet_hours", JSONB(none_as_null=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company_id"),
    of_company(),
)

company_crm_settings = Table(
    "company_crm_settings",
    metadata,
    company(),
    Column("type", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=OBJECT),
    ciphertext("secrets"),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company_id"),
    of_company(),
)

company_channels = Table(
    "company_channels",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("options", JSONB, nullable=False, server_default=OBJECT),
    ciphertext("secrets"),
    created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "type", "external_id"),
    Index("company_channels_broken_idx", "company_id", postgresql_where=text("status = 'broken'")),
    of_company(),
)

clients = Table(
    "clients",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    # E.164, proved by a channel: two dialogues with the same one are one person's.
    Column("phone", Text, nullable=False),
    created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "phone"),
    of_company(),
)

sessions = Table(
    "sessions",
    metadata,
    company(),
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
    moment("greeted_at"),
    moment("last_message_at"),
    Column("state", Text),
    Column("state_data", JSONB, nullable=False, server_default=OBJECT),
    Column("state_version", BigInteger, nullable=False, server_default=text("0")),
    moment("unreachable_at"),
    moment("notice_at"),
    Column("notice_version", Text),
    created(),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "channel_id", "key"),
    ForeignKeyConstraint(
        ["company_id", "channel_id"], ["company_channels.company_id", "company_channels.id"], ondelete="CASCADE"
    ),
    Index("sessions_company_id_last_message_at_idx", "company_id", "last_message_at"),
    Index(
        "sessions_with_state_idx", "company_id", "last_message_at", postgresql_where=text("state_data <> '{}'::jsonb")
    ),
    Index(
        "sessions_company_id_client_id_idx", "company_id", "client_id", postgresql_where=text("client_id IS NOT NULL")
    ),
    Index(
        "sessions_company_id_proved_phone_idx",
        "company_id",
        "proved_phone",
        postgresql_where=text("proved_phone IS NOT NULL"),
    ),
    Index(
        "sessions_company_id_typed_phone_idx",
        "company_id",
        "typed_phone",
        postgresql_where=text("typed_phone IS NOT NULL"),
    ),
)

messages = Table(
    "messages",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    moment("at", nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("turn_id", Uuid, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("parts", JSONB, nullable=False, server_default=ARRAY),
    Column("model", Text),
    Column("prompt_version", Text),
    PrimaryKeyConstraint("company_id", "id", "at"),
    Index("messages_company_id_dialogue_id_id_idx", "company_id", "dialogue_id", "id"),
    postgresql_partition_by="RANGE (at)",
)

accepted_updates = Table(
    "accepted_updates",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("dialogue_key", Text, nullable=False),
    Column("update_key", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    moment("accepted_at", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("turn_id", Uuid),
    moment("done_at"),
    moment("dead_at"),
    Column("error", Text),
    # The W3C traceparent of the request that brought it; None where nothing is traced.
    Column("trace", Text),
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
    company(),
    Column("channel_id", Uuid, nullable=False),
    Column("update_key", Text, nullable=False),
    moment("accepted_at", nullable=False),
    PrimaryKeyConstraint("company_id", "channel_id", "update_key"),
    Index("update_keys_company_id_accepted_at_idx", "company_id", "accepted_at"),
)

work = Table(
    "work",
    metadata,
    company(),
    Column("dialogue_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("wake", BigInteger, nullable=False, server_default=text("1")),
    moment("due_at"),
    moment("lease_until"),
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lost_leases", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("company_id", "dialogue_id", "kind", "subject_id"),
    # The claim looks over all companies: the one index that does not begin with company_id.
    Index("work_due_at_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.01},
)

turns = Table(
    "turns",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    moment("at", nullable=False),
    Column("calls", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("model", Text),
    Column("cost_microusd", BigInteger, nullable=False, server_default=text("0")),
    # How many messages of the client it answered, and when the last of them was accepted.
    Column("messages", Integer),
    moment("accepted_at"),
    PrimaryKeyConstraint("company_id", "id"),
    Index("turns_company_id_at_idx", "company_id", "at"),
    Index("turns_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

dialogue_memory = Table(
    "dialogue_memory",
    metadata,
    company(),
    Column("dialogue_id", Uuid, nullable=False),
    Column("summary", Text, nullable=False, server_default=text("''")),
    Column("covers_until", Uuid),
    Column("visits", JSONB, nullable=False, server_default=ARRAY),
    moment("made_at", nullable=False),
    PrimaryKeyConstraint("company_id", "dialogue_id"),
    Index(
        "dialogue_memory_noted_idx",
        "company_id",
        "made_at",
        postgresql_where=text("summary <> ''::text OR visits <> '[]'::jsonb"),
    ),
    ForeignKeyConstraint(["company_id", "dialogue_id"], ["sessions.company_id", "sessions.id"], ondelete="CASCADE"),
)

spending = Table(
    "spending",
    metadata,
    company(),
    Column("day", Date, nullable=False),
    Column("turns", Integer, nullable=False, server_default=text("0")),
    Column("calls", Integer, nullable=False, server_default=text("0")),
    Column("prompt_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("output_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("cached_tokens", BigInteger, nullable=False, server_default=text("0")),
    # Millionths of a US dollar.
    Column("cost_microusd", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("company_id", "day"),
    of_company(),
)

tool_calls = Table(
    "tool_calls",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("turn_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("arguments", JSONB, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
    moment("at", nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    Index("tool_calls_company_id_turn_id_idx", "company_id", "turn_id"),
)

handovers = Table(
    "handovers",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("summary", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("resolved_at"),
    PrimaryKeyConstraint("company_id", "id"),
    Index("handovers_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index("handovers_company_id_created_at_idx", "company_id", "created_at"),
    Index("handovers_open_idx", "company_id", "created_at", postgresql_where=text("resolved_at IS NULL")),
)
