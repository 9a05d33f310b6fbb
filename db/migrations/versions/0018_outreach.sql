-- What a company lets the agent write of its own accord; {} where it keeps to the defaults.
ALTER TABLE company_agent_settings ADD COLUMN outreach JSONB DEFAULT '{}'::jsonb NOT NULL;
---
ALTER TABLE daily_figures ADD COLUMN ratings JSONB DEFAULT '{}'::jsonb NOT NULL,
    ADD COLUMN waiting JSONB DEFAULT '{}'::jsonb NOT NULL;
---
CREATE TABLE waiting_list (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    branch_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    service_ids JSONB NOT NULL,
    service_names JSONB NOT NULL,
    staff_id TEXT,
    staff_name TEXT DEFAULT '' NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    earliest TIME WITHOUT TIME ZONE,
    latest TIME WITHOUT TIME ZONE,
    status TEXT DEFAULT 'waiting' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT waiting_list_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT waiting_list_company_id_branch_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX waiting_list_waiting_idx ON waiting_list (company_id, branch_id, id) WHERE status = 'waiting';
---
CREATE INDEX waiting_list_company_id_dialogue_id_idx ON waiting_list (company_id, dialogue_id);
---
CREATE TABLE freed_times (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    branch_id UUID NOT NULL,
    source TEXT NOT NULL,
    staff_name TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration_s INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    CONSTRAINT freed_times_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT freed_times_company_id_branch_id_source_key UNIQUE (company_id, branch_id, source),
    CONSTRAINT freed_times_company_id_branch_id_fkey FOREIGN KEY (company_id, branch_id)
        REFERENCES branches (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX freed_times_open_idx ON freed_times (company_id, id) WHERE closed_at IS NULL;
---
CREATE TABLE waiting_offers (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    freed_id UUID NOT NULL,
    entry_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    staff_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome TEXT DEFAULT 'open' NOT NULL,
    CONSTRAINT waiting_offers_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT waiting_offers_company_id_freed_id_entry_id_key UNIQUE (company_id, freed_id, entry_id),
    CONSTRAINT waiting_offers_company_id_freed_id_fkey FOREIGN KEY (company_id, freed_id)
        REFERENCES freed_times (company_id, id) ON DELETE CASCADE,
    CONSTRAINT waiting_offers_company_id_entry_id_fkey FOREIGN KEY (company_id, entry_id)
        REFERENCES waiting_list (company_id, id) ON DELETE CASCADE
);
---
CREATE UNIQUE INDEX waiting_offers_of_time_idx ON waiting_offers (company_id, freed_id)
    WHERE outcome IN ('open', 'taken');
---
CREATE UNIQUE INDEX waiting_offers_of_entry_idx ON waiting_offers (company_id, entry_id)
    WHERE outcome IN ('open', 'taken');
---
CREATE INDEX waiting_offers_company_id_dialogue_id_idx ON waiting_offers (company_id, dialogue_id);
---
CREATE INDEX waiting_offers_company_id_offered_at_idx ON waiting_offers (company_id, offered_at);
---
CREATE TABLE consents (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    wording_version TEXT,
    given_at TIMESTAMP WITH TIME ZONE,
    refused_at TIMESTAMP WITH TIME ZONE,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT consents_pkey PRIMARY KEY (company_id, id)
);
---
CREATE INDEX consents_company_id_dialogue_id_idx ON consents (company_id, dialogue_id);
---
CREATE TABLE outreach_log (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    requested BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT outreach_log_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT outreach_log_company_id_kind_subject_key UNIQUE (company_id, kind, subject)
);
---
CREATE INDEX outreach_log_company_id_dialogue_id_at_idx ON outreach_log (company_id, dialogue_id, at);
---
CREATE TABLE ratings (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    visit TEXT NOT NULL,
    dialogue_id UUID NOT NULL,
    branch_id UUID NOT NULL,
    service_names JSONB NOT NULL,
    staff_name TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stars INTEGER,
    rated_at TIMESTAMP WITH TIME ZONE,
    comment TEXT,
    CONSTRAINT ratings_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT ratings_company_id_visit_key UNIQUE (company_id, visit)
);
---
CREATE INDEX ratings_company_id_dialogue_id_idx ON ratings (company_id, dialogue_id);
---
CREATE INDEX ratings_rated_idx ON ratings (company_id, rated_at) WHERE rated_at IS NOT NULL;
---
DO $$
DECLARE table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['waiting_list', 'freed_times', 'waiting_offers', 'consents', 'outreach_log',
                                      'ratings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY company ON %I USING (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)'
            ' WITH CHECK (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ai_admin_app', table_name);
    END LOOP;
END $$;
