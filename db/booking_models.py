"""The tables of bookings: writes to CRMs, claimed times, appointments, and what CRMs tell of them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
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

from db.columns import NOW, OBJECT, company, created, metadata, moment, of_branch

intents = Table(
    "intents",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("action", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("called_at"),
    moment("finished_at"),
    Column("crm_record_id", Text),
    Column("error", Text),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "external_id"),
    Index("intents_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index(
        "intents_company_id_finished_at_idx",
        "company_id",
        "finished_at",
        postgresql_where=text("finished_at IS NOT NULL"),
    ),
)

slot_claims = Table(
    "slot_claims",
    metadata,
    company(),
    Column("branch_id", Uuid, nullable=False),
    Column("staff_id", Text, nullable=False),
    # The beginning of five minutes.
    moment("cell", nullable=False),
    Column("intent_id", Uuid, nullable=False),
    moment("expires_at", nullable=False),
    PrimaryKeyConstraint("company_id", "branch_id", "staff_id", "cell"),
    Index("slot_claims_company_id_intent_id_idx", "company_id", "intent_id"),
    Index("slot_claims_company_id_expires_at_idx", "company_id", "expires_at"),
)

appointments = Table(
    "appointments",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("crm_record_id", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    moment("starts_at", nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("service_names", JSONB, nullable=False),
    Column("staff_name", Text, nullable=False),
    # Who that is in the CRM; NULL: not known.
    Column("staff_id", Text),
    Column("client_name", Text, nullable=False),
    Column("visitor_name", Text),
    Column("phone", Text, nullable=False),
    Column("phone_proved", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=text("false")),
    # Made in the CRM by staff, for a client of ours.
    Column("by_staff", Boolean, nullable=False, server_default=text("false")),
    # The time that the client has said to come at, and the one that the CRM was told so of.
    moment("confirmed_for"),
    moment("crm_told_of"),
    created(),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "branch_id", "crm_record_id"),
    Index("appointments_company_id_dialogue_id_starts_at_idx", "company_id", "dialogue_id", "starts_at"),
    Index("appointments_company_id_phone_starts_at_idx", "company_id", "phone", "starts_at"),
    Index("appointments_company_id_branch_id_starts_at_idx", "company_id", "branch_id", "starts_at"),
    Index(
        "appointments_company_id_branch_id_updated_at_idx",
        "company_id",
        "branch_id",
        "updated_at",
        postgresql_where=text("NOT cancelled"),
    ),
)

reminders = Table(
    "reminders",
    metadata,
    company(),
    Column("appointment_id", Uuid, nullable=False),
    # A visit that is moved is reminded of anew.
    moment("starts_at", nullable=False),
    Column("lead_s", Integer, nullable=False),
    # The appointment's, which is not always the one that the reminder is put into.
    Column("dialogue_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    moment("at", nullable=False),
    # What the reminder stands under in the history.
    Column("turn_id", Uuid),
    PrimaryKeyConstraint("company_id", "appointment_id", "starts_at", "lead_s"),
    Index("reminders_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

crm_hooks = Table(
    "crm_hooks",
    metadata,
    company(),
    Column("branch_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("headers", JSONB, nullable=False, server_default=OBJECT),
    Column("body", LargeBinary, nullable=False),
    moment("received_at", nullable=False),
    PrimaryKeyConstraint("company_id", "branch_id", "id"),
    of_branch(),
)

crm_sweeps = Table(
    "crm_sweeps",
    metadata,
    company(),
    Column("branch_id", Uuid, nullable=False),
    moment("swept_until", nullable=False),
    PrimaryKeyConstraint("company_id", "branch_id"),
    of_branch(),
)
