-- How long before a visit its client is reminded; NULL where the owner has not said whether the CRM does that itself.
ALTER TABLE company_agent_settings ADD COLUMN reminder_minutes JSONB, ADD COLUMN quiet_hours JSONB;
---
-- What staff made in the CRM for a client of ours, and what clients say of whether they come.
ALTER TABLE appointments
    ADD COLUMN by_staff BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN confirmed_for TIMESTAMP WITH TIME ZONE,
    ADD COLUMN crm_told_of TIMESTAMP WITH TIME ZONE;
---
-- What became of each reminder of an appointment at one time: its key is what keeps it from being sent twice.
CREATE TABLE reminders (
    company_id UUID NOT NULL,
    appointment_id UUID NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lead_s INTEGER NOT NULL,
    dialogue_id UUID NOT NULL,
    state TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    turn_id UUID,
    CONSTRAINT reminders_pkey PRIMARY KEY (company_id, appointment_id, starts_at, lead_s)
);
---
CREATE INDEX reminders_company_id_dialogue_id_idx ON reminders (company_id, dialogue_id);
---
ALTER TABLE reminders ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE reminders FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON reminders
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON reminders TO ai_admin_app;
