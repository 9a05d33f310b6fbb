CREATE TABLE audit_entries (
    company_id UUID NOT NULL,
    number BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before JSONB,
    after JSONB,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (company_id, number)
);
---
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON audit_entries
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
-- Added to and read; no role of ours may change or delete a row of it.
GRANT SELECT, INSERT ON audit_entries TO ai_admin_app;
---
-- Nor may the owner or a superuser, whom no grant binds, short of switching the trigger off.
CREATE FUNCTION ai_admin_refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'audit_entries is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
---
REVOKE ALL ON FUNCTION ai_admin_refuse_change FROM PUBLIC;
---
CREATE TRIGGER audit_entries_stand BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION ai_admin_refuse_change();
---
CREATE TRIGGER audit_entries_are_not_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ai_admin_refuse_change();
---
-- What is ciphertext is marked in the schema: the rotation of keys knows every one (db/crypto.py, CIPHERTEXTS).
COMMENT ON COLUMN company_channels.secrets IS 'ciphertext';
---
COMMENT ON COLUMN company_crm_settings.secrets IS 'ciphertext';
