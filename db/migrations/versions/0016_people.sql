-- Version 0016: people in the loop. Every statement stands alone between lines of dashes.

-- Whose words a reply holds: the agent's are not sent any more once a person answers. The version before writes the
-- agent's only.
ALTER TABLE replies ADD COLUMN author TEXT DEFAULT 'agent' NOT NULL;
---
-- The client's dialogue that a message to staff is about: who replies to it answers that client.
ALTER TABLE replies ADD COLUMN about UUID;
---
-- What of this is chosen; the defaults are not kept, and the version before writes none.
ALTER TABLE company_agent_settings ADD COLUMN people JSONB DEFAULT '{}'::jsonb NOT NULL;
---
CREATE TABLE staff (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    branches JSONB DEFAULT '[]'::jsonb NOT NULL,
    crm_staff_id TEXT,
    telegram_user_id BIGINT,
    invite BYTEA,
    invite_until TIMESTAMP WITH TIME ZONE,
    enrolled_at TIMESTAMP WITH TIME ZONE,
    dismissed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT staff_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT staff_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
-- One place for a person at a time; who was dismissed may be taken on again.
CREATE UNIQUE INDEX staff_telegram_idx ON staff (company_id, telegram_user_id)
    WHERE telegram_user_id IS NOT NULL AND dismissed_at IS NULL;
---
CREATE UNIQUE INDEX staff_invite_idx ON staff (company_id, invite) WHERE invite IS NOT NULL;
---
ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON staff
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON staff TO ai_admin_app;
---
CREATE TABLE handover_threads (
    company_id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    bot_channel_id UUID,
    staff_key TEXT,
    staff_dialogue_id UUID,
    topic_id BIGINT,
    topicless BOOLEAN DEFAULT false NOT NULL,
    shown_until UUID,
    reason TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    client_waits_since TIMESTAMP WITH TIME ZONE,
    person_at TIMESTAMP WITH TIME ZONE,
    rung INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT handover_threads_pkey PRIMARY KEY (company_id, dialogue_id),
    CONSTRAINT handover_threads_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX handover_threads_topic_idx ON handover_threads (company_id, staff_dialogue_id, topic_id);
---
ALTER TABLE handover_threads ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE handover_threads FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON handover_threads
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON handover_threads TO ai_admin_app;
---
CREATE TABLE mirror_items (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    file JSONB,
    draft_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT mirror_items_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT mirror_items_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX mirror_items_company_id_dialogue_id_id_idx ON mirror_items (company_id, dialogue_id, id);
---
ALTER TABLE mirror_items ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE mirror_items FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON mirror_items
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON mirror_items TO ai_admin_app;
---
CREATE TABLE drafts (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    dialogue_id UUID NOT NULL,
    turn_id UUID NOT NULL,
    replies JSONB NOT NULL,
    said JSONB NOT NULL,
    status TEXT DEFAULT 'open' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    staff_id UUID,
    CONSTRAINT drafts_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT drafts_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX drafts_company_id_dialogue_id_idx ON drafts (company_id, dialogue_id);
---
CREATE INDEX drafts_company_id_made_at_idx ON drafts (company_id, made_at);
---
ALTER TABLE drafts ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE drafts FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON drafts
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON drafts TO ai_admin_app;
---
CREATE TABLE staff_messages (
    company_id UUID NOT NULL,
    staff_dialogue_id UUID NOT NULL,
    message_id TEXT NOT NULL,
    dialogue_id UUID NOT NULL,
    CONSTRAINT staff_messages_pkey PRIMARY KEY (company_id, staff_dialogue_id, message_id),
    CONSTRAINT staff_messages_company_id_fkey FOREIGN KEY (company_id, dialogue_id)
        REFERENCES sessions (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX staff_messages_company_id_dialogue_id_idx ON staff_messages (company_id, dialogue_id);
---
ALTER TABLE staff_messages ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE staff_messages FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON staff_messages
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON staff_messages TO ai_admin_app;
