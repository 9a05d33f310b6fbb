CREATE TABLE calls (
    company_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    key TEXT NOT NULL,
    dialogue_id UUID NOT NULL,
    caller TEXT,
    ticket BYTEA,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    connections INTEGER DEFAULT 0 NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    CONSTRAINT calls_pkey PRIMARY KEY (company_id, channel_id, key),
    CONSTRAINT calls_company_id_fkey FOREIGN KEY (company_id, channel_id)
        REFERENCES company_channels (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX calls_company_id_started_at_idx ON calls (company_id, started_at);
---
CREATE INDEX calls_company_id_dialogue_id_idx ON calls (company_id, dialogue_id);
---
CREATE INDEX turns_company_id_dialogue_id_idx ON turns (company_id, dialogue_id);
---
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE calls FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON calls
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON calls TO ai_admin_app;
