-- What a company says of its clients' personal data; {} where it keeps to the defaults.
ALTER TABLE company_agent_settings ADD COLUMN privacy JSONB DEFAULT '{}'::jsonb NOT NULL;
---
-- When a client of a channel was told that personal data is processed, and in which words.
ALTER TABLE sessions ADD COLUMN notice_at TIMESTAMP WITH TIME ZONE, ADD COLUMN notice_version TEXT;
---
ALTER TABLE calls ADD COLUMN notice_version TEXT;
---
CREATE INDEX calls_company_id_caller_idx ON calls (company_id, caller) WHERE caller IS NOT NULL;
---
CREATE INDEX sessions_with_state_idx ON sessions (company_id, last_message_at) WHERE state_data <> '{}'::jsonb;
---
CREATE INDEX sessions_company_id_proved_phone_idx ON sessions (company_id, proved_phone)
    WHERE proved_phone IS NOT NULL;
---
CREATE INDEX sessions_company_id_typed_phone_idx ON sessions (company_id, typed_phone) WHERE typed_phone IS NOT NULL;
---
CREATE INDEX dialogue_memory_noted_idx ON dialogue_memory (company_id, made_at)
    WHERE summary <> ''::text OR visits <> '[]'::jsonb;
---
CREATE TABLE notice_wordings (
    company_id UUID NOT NULL,
    version TEXT NOT NULL,
    text TEXT NOT NULL,
    first_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT notice_wordings_pkey PRIMARY KEY (company_id, version),
    CONSTRAINT notice_wordings_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
CREATE TABLE erasures (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    subject TEXT NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    record JSONB NOT NULL,
    CONSTRAINT erasures_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT erasures_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
CREATE TABLE signing_keys (
    company_id UUID NOT NULL,
    id TEXT NOT NULL,
    public_key BYTEA NOT NULL,
    secret TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT signing_keys_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
COMMENT ON COLUMN signing_keys.secret IS 'ciphertext';
---
DO $$
DECLARE table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['notice_wordings', 'erasures', 'signing_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY company ON %I USING (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)'
            ' WITH CHECK (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ai_admin_app', table_name);
    END LOOP;
END $$;
