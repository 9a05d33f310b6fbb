CREATE TABLE spending (
    company_id UUID NOT NULL,
    day DATE NOT NULL,
    turns INTEGER DEFAULT 0 NOT NULL,
    calls INTEGER DEFAULT 0 NOT NULL,
    prompt_tokens BIGINT DEFAULT 0 NOT NULL,
    output_tokens BIGINT DEFAULT 0 NOT NULL,
    cached_tokens BIGINT DEFAULT 0 NOT NULL,
    cost_microusd BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT spending_pkey PRIMARY KEY (company_id, day),
    CONSTRAINT spending_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
ALTER TABLE spending ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE spending FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON spending
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON spending TO ai_admin_app;
---
ALTER TABLE turns ADD COLUMN model TEXT, ADD COLUMN cost_microusd BIGINT DEFAULT 0 NOT NULL;
---
ALTER TABLE company_agent_settings ADD COLUMN budget_soft_cents INTEGER, ADD COLUMN budget_hard_cents INTEGER;
