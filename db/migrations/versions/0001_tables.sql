-- The tables of version 0001, as they were then. Later versions change them in migrations of their own.

CREATE TABLE accepted_updates (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    dialogue_key TEXT NOT NULL,
    update_key TEXT NOT NULL,
    payload BYTEA NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    turn_id UUID,
    done_at TIMESTAMP WITH TIME ZONE,
    dead_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT accepted_updates_pkey PRIMARY KEY (company_id, id)
);

CREATE INDEX accepted_updates_company_id_channel_id_update_key_idx ON accepted_updates (company_id, channel_id, update_key);

CREATE INDEX accepted_updates_dead_idx ON accepted_updates (company_id, id) WHERE dead_at IS NOT NULL;

CREATE INDEX accepted_updates_waiting_idx ON accepted_updates (company_id, dialogue_id, id) WHERE done_at IS NULL AND dead_at IS NULL;

CREATE TABLE appointments (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    branch_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    crm_record_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration_s INTEGER NOT NULL,
    service_names JSONB NOT NULL,
    staff_name TEXT NOT NULL,
    client_name TEXT NOT NULL,
    visitor_name TEXT,
    phone TEXT NOT NULL,
    phone_proved BOOLEAN NOT NULL,
    cancelled BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT appointments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT appointments_company_id_branch_id_crm_record_id_key UNIQUE (company_id, branch_id, crm_record_id)
);

CREATE INDEX appointments_company_id_dialogue_id_starts_at_idx ON appointments (company_id, dialogue_id, starts_at);

CREATE INDEX appointments_company_id_phone_starts_at_idx ON appointments (company_id, phone, starts_at);

CREATE TABLE companies (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    plan TEXT DEFAULT 'free' NOT NULL,
    plan_limits JSONB DEFAULT '{}'::jsonb NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT companies_pkey PRIMARY KEY (id),
    CONSTRAINT companies_slug_key UNIQUE (slug)
);

CREATE TABLE handovers (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    reason TEXT NOT NULL,
    summary TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT handovers_pkey PRIMARY KEY (company_id, id)
);

CREATE INDEX handovers_company_id_dialogue_id_idx ON handovers (company_id, dialogue_id);

CREATE TABLE intents (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    branch_id UUID NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    action JSONB NOT NULL,
    status TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    called_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    crm_record_id TEXT,
    error TEXT,
    CONSTRAINT intents_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT intents_company_id_external_id_key UNIQUE (company_id, external_id)
);

CREATE INDEX intents_company_id_dialogue_id_idx ON intents (company_id, dialogue_id);

CREATE TABLE messages (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    dialogue_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    parts JSONB DEFAULT '[]'::jsonb NOT NULL,
    model TEXT,
    prompt_version TEXT,
    CONSTRAINT messages_pkey PRIMARY KEY (company_id, id, at)
)
 PARTITION BY RANGE (at);

CREATE INDEX messages_company_id_dialogue_id_id_idx ON messages (company_id, dialogue_id, id);

CREATE TABLE replies (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    dialogue_key TEXT NOT NULL,
    turn_id UUID,
    payload JSONB NOT NULL,
    status TEXT DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    sent_parts INTEGER DEFAULT 0 NOT NULL,
    channel_message_ids JSONB DEFAULT '[]'::jsonb NOT NULL,
    error TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT replies_pkey PRIMARY KEY (company_id, id)
);

CREATE INDEX replies_company_id_turn_id_idx ON replies (company_id, turn_id);

CREATE INDEX replies_waiting_idx ON replies (company_id, dialogue_id, id) WHERE status = 'waiting';

CREATE TABLE tool_calls (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    name TEXT NOT NULL,
    arguments JSONB NOT NULL,
    outcome TEXT NOT NULL,
    took_ms INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT tool_calls_pkey PRIMARY KEY (company_id, id)
);

CREATE INDEX tool_calls_company_id_turn_id_idx ON tool_calls (company_id, turn_id);

CREATE TABLE turns (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    CONSTRAINT turns_pkey PRIMARY KEY (company_id, id)
);

CREATE INDEX turns_company_id_at_idx ON turns (company_id, at);

CREATE TABLE update_keys (
    company_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    update_key TEXT NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT update_keys_pkey PRIMARY KEY (company_id, channel_id, update_key)
);

CREATE INDEX update_keys_company_id_accepted_at_idx ON update_keys (company_id, accepted_at);

CREATE TABLE work (
    company_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    wake BIGINT DEFAULT 1 NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    owner TEXT,
    fence BIGINT DEFAULT 0 NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    lost_leases INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT work_pkey PRIMARY KEY (company_id, dialogue_id, kind, subject_id)
)
 WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);

CREATE INDEX work_due_at_idx ON work (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE branches (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT,
    phone TEXT,
    time_zone TEXT NOT NULL,
    hours JSONB,
    crm_account_id TEXT,
    staff_chat TEXT,
    position INTEGER NOT NULL,
    CONSTRAINT branches_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT branches_company_id_key_key UNIQUE (company_id, key),
    CONSTRAINT branches_company_id_fkey FOREIGN KEY(company_id) REFERENCES companies (id) ON DELETE CASCADE
);

CREATE TABLE company_agent_settings (
    company_id UUID NOT NULL,
    description TEXT,
    business_type TEXT,
    target_audience TEXT,
    highlights TEXT,
    services JSONB DEFAULT '[]'::jsonb NOT NULL,
    products JSONB DEFAULT '[]'::jsonb NOT NULL,
    faq JSONB DEFAULT '[]'::jsonb NOT NULL,
    policies JSONB DEFAULT '[]'::jsonb NOT NULL,
    hours JSONB,
    address TEXT,
    phone TEXT,
    time_zone TEXT,
    instructions TEXT,
    language TEXT DEFAULT 'ru' NOT NULL,
    currency TEXT DEFAULT 'RUB' NOT NULL,
    mode TEXT DEFAULT 'always' NOT NULL,
    model TEXT,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT company_agent_settings_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_agent_settings_company_id_fkey FOREIGN KEY(company_id) REFERENCES companies (id) ON DELETE CASCADE
);

CREATE TABLE company_channels (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    options JSONB DEFAULT '{}'::jsonb NOT NULL,
    secrets TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT company_channels_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT company_channels_company_id_type_external_id_key UNIQUE (company_id, type, external_id),
    CONSTRAINT company_channels_company_id_fkey FOREIGN KEY(company_id) REFERENCES companies (id) ON DELETE CASCADE
);

CREATE TABLE company_crm_settings (
    company_id UUID NOT NULL,
    type TEXT NOT NULL,
    options JSONB DEFAULT '{}'::jsonb NOT NULL,
    secrets TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT company_crm_settings_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_crm_settings_company_id_fkey FOREIGN KEY(company_id) REFERENCES companies (id) ON DELETE CASCADE
);

CREATE TABLE sessions (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    key TEXT NOT NULL,
    in_charge TEXT DEFAULT 'agent' NOT NULL,
    client_name TEXT,
    language TEXT,
    proved_phone TEXT,
    typed_phone TEXT,
    greeted_at TIMESTAMP WITH TIME ZONE,
    last_message_at TIMESTAMP WITH TIME ZONE,
    state TEXT,
    state_data JSONB DEFAULT '{}'::jsonb NOT NULL,
    state_version BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sessions_company_id_channel_id_key_key UNIQUE (company_id, channel_id, key),
    CONSTRAINT sessions_company_id_channel_id_fkey FOREIGN KEY(company_id, channel_id) REFERENCES company_channels (company_id, id) ON DELETE CASCADE
);

CREATE INDEX sessions_company_id_last_message_at_idx ON sessions (company_id, last_message_at);

CREATE TABLE webhook_tokens (
    digest BYTEA NOT NULL,
    company_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT webhook_tokens_pkey PRIMARY KEY (digest),
    CONSTRAINT webhook_tokens_company_id_channel_id_fkey FOREIGN KEY(company_id, channel_id) REFERENCES company_channels (company_id, id) ON DELETE CASCADE
);

CREATE INDEX webhook_tokens_company_id_channel_id_idx ON webhook_tokens (company_id, channel_id);
