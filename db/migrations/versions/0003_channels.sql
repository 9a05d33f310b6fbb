-- Version 0003: several channels. Every statement stands alone between lines of dashes.

-- Meta may bring the messages of several numbers to one webhook: the number that a message was sent to is found here.
ALTER TABLE webhook_tokens ADD COLUMN address TEXT;
---
CREATE INDEX webhook_tokens_address_idx ON webhook_tokens (address) WHERE address IS NOT NULL;
---
-- A person whose phone a channel has proved: the same one in every channel of the company.
CREATE TABLE clients (
    company_id UUID NOT NULL,
    id UUID NOT NULL,
    phone TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT clients_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT clients_company_id_phone_key UNIQUE (company_id, phone),
    CONSTRAINT clients_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
---
ALTER TABLE clients ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE clients FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON clients
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON clients TO ai_admin_app;
---
ALTER TABLE sessions
    ADD COLUMN client_id UUID,
    ADD COLUMN language_chosen BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN source TEXT;
---
CREATE INDEX sessions_company_id_client_id_idx ON sessions (company_id, client_id) WHERE client_id IS NOT NULL;
---
-- What the messenger tells of a reply after it took it.
ALTER TABLE replies
    ADD COLUMN delivered_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN read_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN window_closed BOOLEAN DEFAULT false NOT NULL;
---
CREATE TABLE sent_messages (
    company_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    message_id TEXT NOT NULL,
    reply_id UUID NOT NULL,
    CONSTRAINT sent_messages_pkey PRIMARY KEY (company_id, channel_id, message_id),
    CONSTRAINT sent_messages_company_id_fkey FOREIGN KEY (company_id, reply_id)
        REFERENCES replies (company_id, id) ON DELETE CASCADE
);
---
CREATE INDEX sent_messages_company_id_reply_id_idx ON sent_messages (company_id, reply_id);
---
ALTER TABLE sent_messages ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE sent_messages FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON sent_messages
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON sent_messages TO ai_admin_app;
