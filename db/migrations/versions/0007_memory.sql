CREATE TABLE dialogue_memory (
    company_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    summary TEXT DEFAULT '' NOT NULL,
    covers_until UUID,
    visits JSONB DEFAULT '[]' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT dialogue_memory_pkey PRIMARY KEY (company_id, dialogue_id),
    CONSTRAINT dialogue_memory_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
ALTER TABLE dialogue_memory ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE dialogue_memory FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON dialogue_memory
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON dialogue_memory TO ai_admin_app;
