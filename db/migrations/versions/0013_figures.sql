-- Both may be NULL: turns of before have neither, and during a roll-out the version before writes neither.
ALTER TABLE turns ADD COLUMN messages INTEGER, ADD COLUMN accepted_at TIMESTAMP WITH TIME ZONE;
---
CREATE INDEX intents_company_id_finished_at_idx ON intents (company_id, finished_at) WHERE finished_at IS NOT NULL;
---
CREATE INDEX handovers_company_id_created_at_idx ON handovers (company_id, created_at);
---
CREATE TABLE daily_figures (
    company_id UUID NOT NULL,
    day DATE NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    turns INTEGER DEFAULT 0 NOT NULL,
    messages INTEGER DEFAULT 0 NOT NULL,
    dialogues INTEGER DEFAULT 0 NOT NULL,
    handed INTEGER DEFAULT 0 NOT NULL,
    booked INTEGER DEFAULT 0 NOT NULL,
    moved INTEGER DEFAULT 0 NOT NULL,
    cancelled INTEGER DEFAULT 0 NOT NULL,
    call_seconds BIGINT DEFAULT 0 NOT NULL,
    answers JSONB DEFAULT '{}'::jsonb NOT NULL,
    reasons JSONB DEFAULT '{}'::jsonb NOT NULL,
    tools JSONB DEFAULT '{}'::jsonb NOT NULL,
    writes JSONB DEFAULT '{}'::jsonb NOT NULL,
    calls JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT daily_figures_pkey PRIMARY KEY (company_id, day),
    CONSTRAINT daily_figures_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
ALTER TABLE daily_figures ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE daily_figures FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON daily_figures
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON daily_figures TO ai_admin_app;
