-- Version 0004: changes made in the CRM. Every statement stands alone between lines of dashes.

-- A token is a channel's, or a branch's for what its CRM tells.
ALTER TABLE webhook_tokens ALTER COLUMN channel_id DROP NOT NULL;
---
ALTER TABLE webhook_tokens
    ADD COLUMN branch_id UUID,
    ADD CONSTRAINT webhook_tokens_one_of_two CHECK (num_nonnulls(channel_id, branch_id) = 1),
    ADD CONSTRAINT webhook_tokens_company_id_branch_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE;
---
CREATE INDEX webhook_tokens_company_id_branch_id_idx ON webhook_tokens (company_id, branch_id);
---
-- Hints that wait to be looked into: erased as soon as the records that they name were read again.
CREATE TABLE crm_hooks (
    company_id UUID NOT NULL,
    branch_id UUID NOT NULL,
    id UUID NOT NULL,
    content_type TEXT NOT NULL,
    headers JSONB DEFAULT '{}'::jsonb NOT NULL,
    body BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT crm_hooks_pkey PRIMARY KEY (company_id, branch_id, id),
    CONSTRAINT crm_hooks_company_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE
);
---
ALTER TABLE crm_hooks ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE crm_hooks FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON crm_hooks
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON crm_hooks TO ai_admin_app;
---
CREATE TABLE crm_sweeps (
    company_id UUID NOT NULL,
    branch_id UUID NOT NULL,
    swept_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT crm_sweeps_pkey PRIMARY KEY (company_id, branch_id),
    CONSTRAINT crm_sweeps_company_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE
);
---
ALTER TABLE crm_sweeps ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE crm_sweeps FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON crm_sweeps
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON crm_sweeps TO ai_admin_app;
---
ALTER TABLE company_agent_settings ADD COLUMN tell_of_crm_changes BOOLEAN DEFAULT true NOT NULL;
---
-- Re-reading takes the one first that was read the longest ago.
CREATE INDEX appointments_company_id_branch_id_updated_at_idx ON appointments (company_id, branch_id, updated_at)
    WHERE NOT cancelled;
---
-- Companies that have a CRM already are watched from now on; later ones when it is set.
DO $$
DECLARE company uuid;
BEGIN
    FOR company IN SELECT id FROM companies LOOP
        PERFORM set_config('app.company_id', company::text, true);
        INSERT INTO work (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
        SELECT company_id, id, 'crm', '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', now()
        FROM branches WHERE company_id = company
        ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END $$;
