-- Version 0002: the durable engine. Every statement stands alone between lines of dashes.

-- The intake stores the updates of many callers at once, and each must hear which of its own were new.
DROP FUNCTION ai_admin_accept;
---
CREATE FUNCTION ai_admin_accept(
    p_company_ids uuid[], p_channel_ids uuid[], p_dialogue_ids uuid[], p_ids uuid[],
    p_dialogue_keys text[], p_update_keys text[], p_payloads bytea[],
    p_accepted_at timestamptz[], p_due_at timestamptz[]
) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    company uuid;
    accepted uuid[] := '{}';
    stored uuid[];
BEGIN
    -- Returns the ids of those that were new.
    -- One company after the other, in order, so that two callers never wait for each other in a ring. The policy holds
    -- here too: the function's owner is subject to it unless it is a superuser.
    FOR company IN SELECT DISTINCT unnest(p_company_ids) AS id ORDER BY id LOOP
        PERFORM set_config('app.company_id', company::text, true);
        WITH given AS (
            SELECT * FROM unnest(p_company_ids, p_channel_ids, p_dialogue_ids, p_ids, p_dialogue_keys, p_update_keys,
                                 p_payloads, p_accepted_at, p_due_at)
                AS g(company_id, channel_id, dialogue_id, id, dialogue_key, update_key, payload, accepted_at, due_at)
            WHERE g.company_id = company
        ), once AS (
            SELECT DISTINCT ON (channel_id, update_key) * FROM given ORDER BY channel_id, update_key, id
        ), fresh AS (
            INSERT INTO update_keys (company_id, channel_id, update_key, accepted_at)
            SELECT company_id, channel_id, update_key, accepted_at FROM once ORDER BY channel_id, update_key
            ON CONFLICT DO NOTHING
            RETURNING channel_id, update_key
        ), kept AS (
            INSERT INTO accepted_updates (company_id, id, channel_id, dialogue_id, dialogue_key, update_key, payload,
                                          accepted_at)
            SELECT o.company_id, o.id, o.channel_id, o.dialogue_id, o.dialogue_key, o.update_key, o.payload,
                   o.accepted_at
            FROM once o JOIN fresh USING (channel_id, update_key) ORDER BY o.id
            RETURNING id, channel_id, dialogue_id, update_key
        ), rung AS (
            INSERT INTO work AS w (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
            SELECT company, k.dialogue_id, 'turn', '00000000-0000-0000-0000-000000000000', k.channel_id, min(o.due_at)
            FROM kept k JOIN once o USING (channel_id, update_key)
            GROUP BY k.dialogue_id, k.channel_id ORDER BY k.dialogue_id
            ON CONFLICT (company_id, dialogue_id, kind, subject_id) DO UPDATE
                SET wake = w.wake + 1, due_at = least(coalesce(w.due_at, excluded.due_at), excluded.due_at)
            RETURNING 1
        )
        SELECT array_agg(id) INTO stored FROM kept;
        accepted := accepted || stored;
    END LOOP;
    RETURN accepted;
END $$;
---
REVOKE ALL ON FUNCTION ai_admin_accept FROM PUBLIC;
---
GRANT EXECUTE ON FUNCTION ai_admin_accept TO ai_admin_intake;
---
-- A search path that does not name pg_temp begins with it: a caller's temporary table of the same name would be the one
-- that a SECURITY DEFINER function meets. Named last, it is looked at last.
ALTER FUNCTION ai_admin_make_partitions SET search_path = pg_catalog, public, pg_temp;
---
-- A slot is claimed in cells of five minutes before the CRM is called: two clients who confirm overlapping times meet at
-- this primary key, whatever the channel, the process and the host. (The embedded PostgreSQL has no btree_gist.)
CREATE TABLE slot_claims (
    company_id UUID NOT NULL,
    branch_id UUID NOT NULL,
    staff_id TEXT NOT NULL,
    cell TIMESTAMP WITH TIME ZONE NOT NULL,
    intent_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT slot_claims_pkey PRIMARY KEY (company_id, branch_id, staff_id, cell)
);
---
CREATE INDEX slot_claims_company_id_intent_id_idx ON slot_claims (company_id, intent_id);
---
CREATE INDEX slot_claims_company_id_expires_at_idx ON slot_claims (company_id, expires_at);
---
ALTER TABLE slot_claims ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE slot_claims FORCE ROW LEVEL SECURITY;
---
CREATE POLICY company ON slot_claims
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
---
GRANT SELECT, INSERT, UPDATE, DELETE ON slot_claims TO ai_admin_app;
---
-- How long a company's turns wait for the rest of a burst; unset: the platform's default.
ALTER TABLE company_agent_settings ADD COLUMN quiet_ms INTEGER;
---
-- The channels that a company's file names, whether or not they have been added: `export` gives back what was imported.
ALTER TABLE companies ADD COLUMN declared_channels JSONB DEFAULT '[]'::jsonb NOT NULL;
---
-- The client blocked the bot or is gone: nothing more is sent until they write again.
ALTER TABLE sessions ADD COLUMN unreachable_at TIMESTAMP WITH TIME ZONE;
---
-- Sweeping is work like any other: one row a company. Later companies get theirs when they are made.
DO $$
DECLARE company uuid;
BEGIN
    FOR company IN SELECT id FROM companies LOOP
        PERFORM set_config('app.company_id', company::text, true);
        INSERT INTO work (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
        VALUES (company, '00000000-0000-0000-0000-000000000000', 'sweep', '00000000-0000-0000-0000-000000000000',
                '00000000-0000-0000-0000-000000000000', now())
        ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.company_id', '', true);
END $$;
