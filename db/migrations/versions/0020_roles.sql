-- Version 0020: what staff may do from their chat. Every statement stands alone between lines of dashes.

-- Since when a person answers every client, and who said so; the version before answers on, as it knows nothing of it.
ALTER TABLE companies ADD COLUMN paused_at TIMESTAMP WITH TIME ZONE, ADD COLUMN paused_by TEXT;
---
-- Who a master is in the CRM: names may be equal. NULL: not known, as for all rows of before.
ALTER TABLE appointments ADD COLUMN staff_id TEXT;
---
CREATE TABLE agent_notes (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    text TEXT NOT NULL,
    author_id UUID NOT NULL,
    author_name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by TEXT,
    CONSTRAINT agent_notes_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT agent_notes_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
CREATE INDEX agent_notes_standing_idx ON agent_notes (company_id, id) WHERE state <> 'undone';
---
ALTER TABLE agent_notes ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE agent_notes FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON agent_notes
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON agent_notes TO ai_admin_app;
---
CREATE TABLE late_answers (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT late_answers_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT late_answers_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX late_answers_company_id_dialogue_id_idx ON late_answers (company_id, dialogue_id);
---
ALTER TABLE late_answers ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE late_answers FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON late_answers
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON late_answers TO ai_admin_app;
---
CREATE TABLE strangers_told (
    company_id UUID NOT NULL,
    staff_dialogue_id UUID NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT strangers_told_pkey PRIMARY KEY (company_id, staff_dialogue_id),
    CONSTRAINT strangers_told_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
ALTER TABLE strangers_told ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE strangers_told FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON strangers_told
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON strangers_told TO ai_admin_app;
---
CREATE TABLE sick_days (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    branch_id UUID NOT NULL,
    master TEXT NOT NULL,
    day DATE NOT NULL,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by TEXT,
    bot_channel_id UUID NOT NULL,
    staff_key TEXT NOT NULL,
    shown TEXT DEFAULT '' NOT NULL,
    CONSTRAINT sick_days_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sick_days_company_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX sick_days_company_id_branch_id_day_idx ON sick_days (company_id, branch_id, day);
---
ALTER TABLE sick_days ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE sick_days FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON sick_days
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON sick_days TO ai_admin_app;
---
CREATE TABLE sick_visits (
    company_id UUID NOT NULL,
    sick_id UUID NOT NULL,
    appointment_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    was_at TIMESTAMP WITH TIME ZONE NOT NULL,
    noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_in UUID,
    asked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sick_visits_pkey PRIMARY KEY (company_id, sick_id, appointment_id),
    CONSTRAINT sick_visits_sick_id_fkey FOREIGN KEY (company_id, sick_id)
        REFERENCES sick_days (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sick_visits_appointment_id_fkey FOREIGN KEY (company_id, appointment_id)
        REFERENCES appointments (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX sick_visits_company_id_dialogue_id_idx ON sick_visits (company_id, dialogue_id);
---
CREATE INDEX sick_visits_company_id_appointment_id_idx ON sick_visits (company_id, appointment_id);
---
ALTER TABLE sick_visits ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE sick_visits FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON sick_visits
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON sick_visits TO ai_admin_app;
