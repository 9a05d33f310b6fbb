-- Version 0019: the web console. Every statement stands alone between lines of dashes.

CREATE TABLE console_links (
    company_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    staff_id UUID NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT console_links_pkey PRIMARY KEY (company_id, digest),
    CONSTRAINT console_links_company_id_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX console_links_company_id_staff_id_idx ON console_links (company_id, staff_id);
---
CREATE TABLE console_sessions (
    company_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    staff_id UUID NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT console_sessions_pkey PRIMARY KEY (company_id, digest),
    CONSTRAINT console_sessions_company_id_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX console_sessions_company_id_staff_id_idx ON console_sessions (company_id, staff_id);
---
CREATE TABLE console_drafts (
    company_id UUID NOT NULL,
    preview_id UUID NOT NULL,
    fields JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT console_drafts_pkey PRIMARY KEY (company_id, preview_id),
    CONSTRAINT console_drafts_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
ALTER TABLE console_links ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE console_links FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON console_links
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON console_links TO ai_admin_app;
---
ALTER TABLE console_sessions ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE console_sessions FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON console_sessions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON console_sessions TO ai_admin_app;
---
ALTER TABLE console_drafts ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE console_drafts FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON console_drafts
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON console_drafts TO ai_admin_app;
---
-- A branch's day is looked at.
CREATE INDEX IF NOT EXISTS appointments_company_id_branch_id_starts_at_idx
    ON appointments (company_id, branch_id, starts_at);
---
-- The list of dialogues that wait for a person is asked for every few seconds.
CREATE INDEX handovers_open_idx ON handovers (company_id, created_at) WHERE resolved_at IS NULL;
---
CREATE INDEX handover_threads_open_idx ON handover_threads (company_id, client_waits_since) WHERE closed_at IS NULL;
