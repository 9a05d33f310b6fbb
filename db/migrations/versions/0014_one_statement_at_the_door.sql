-- Version 0014: one statement at the door. Every statement stands alone between lines of dashes.

-- The function that stores updates may write rows of several companies in one statement. These policies are for its
-- owner alone, and for as long as the function runs, which sets app.intake: set by anybody else it opens nothing. What
-- the roles of the processes may do is as before: one company's rows, or this function.
CREATE POLICY intake ON update_keys TO CURRENT_USER
    USING (current_setting('app.intake', true) = 'on') WITH CHECK (current_setting('app.intake', true) = 'on');
---
CREATE POLICY intake ON accepted_updates TO CURRENT_USER
    USING (current_setting('app.intake', true) = 'on') WITH CHECK (current_setting('app.intake', true) = 'on');
---
CREATE POLICY intake ON work TO CURRENT_USER
    USING (current_setting('app.intake', true) = 'on') WITH CHECK (current_setting('app.intake', true) = 'on');
---
CREATE OR REPLACE FUNCTION ai_admin_accept(
    p_company_ids uuid[], p_channel_ids uuid[], p_dialogue_ids uuid[], p_ids uuid[],
    p_dialogue_keys text[], p_update_keys text[], p_payloads bytea[],
    p_accepted_at timestamptz[], p_due_at timestamptz[], p_traces text[]
) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stored uuid[];
BEGIN
    PERFORM set_config('app.intake', 'on', true);
    -- Returns the ids of those that were new. Keys first, then work, each in the order of its own index: two callers
    -- never wait for each other in a ring.
    WITH given AS (
        SELECT * FROM unnest(p_company_ids, p_channel_ids, p_dialogue_ids, p_ids, p_dialogue_keys, p_update_keys,
                             p_payloads, p_accepted_at, p_due_at, p_traces)
            AS g(company_id, channel_id, dialogue_id, id, dialogue_key, update_key, payload, accepted_at, due_at, trace)
    ), once AS (
        SELECT DISTINCT ON (company_id, channel_id, update_key) * FROM given
        ORDER BY company_id, channel_id, update_key, id
    ), fresh AS (
        INSERT INTO update_keys (company_id, channel_id, update_key, accepted_at)
        SELECT company_id, channel_id, update_key, accepted_at FROM once ORDER BY company_id, channel_id, update_key
        ON CONFLICT DO NOTHING
        RETURNING company_id, channel_id, update_key
    ), kept AS (
        INSERT INTO accepted_updates (company_id, id, channel_id, dialogue_id, dialogue_key, update_key, payload,
                                      accepted_at, trace)
        SELECT o.company_id, o.id, o.channel_id, o.dialogue_id, o.dialogue_key, o.update_key, o.payload,
               o.accepted_at, o.trace
        FROM once o JOIN fresh USING (company_id, channel_id, update_key) ORDER BY o.id
        RETURNING company_id, id, channel_id, dialogue_id, update_key
    ), rung AS (
        INSERT INTO work AS w (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
        SELECT k.company_id, k.dialogue_id, 'turn', '00000000-0000-0000-0000-000000000000', k.channel_id, min(o.due_at)
        FROM kept k JOIN once o USING (company_id, channel_id, update_key)
        GROUP BY k.company_id, k.dialogue_id, k.channel_id ORDER BY k.company_id, k.dialogue_id
        ON CONFLICT (company_id, dialogue_id, kind, subject_id) DO UPDATE
            SET wake = w.wake + 1, due_at = least(coalesce(w.due_at, excluded.due_at), excluded.due_at)
        RETURNING 1
    )
    SELECT array_agg(id) INTO stored FROM kept;
    PERFORM set_config('app.intake', '', true);
    RETURN coalesce(stored, '{}');
END $$
