-- Roles, row-level security and functions of version 0001. Every statement stands alone between lines of dashes.

-- The roles that transactions take, and the login that owns nothing and may only take them.
DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['ai_admin_app', 'ai_admin_intake', 'ai_admin_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', role_name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ai_admin_login') THEN
        CREATE ROLE ai_admin_login LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
    END IF;
END $$;
---
-- Whoever migrates may also run the processes, by taking the same roles. Where a provider keeps CREATEROLE to itself,
-- roles and memberships were made before (docs/scaling.md), and are only looked at here: from PostgreSQL 16 on a
-- membership may lack the right to SET the role.
DO $$
DECLARE
    role_name text;
    member text;
    wanted text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['ai_admin_app', 'ai_admin_intake', 'ai_admin_worker'] LOOP
        FOREACH member IN ARRAY ARRAY['ai_admin_login', current_user] LOOP
            BEGIN
                EXECUTE format('GRANT %I TO %I', role_name, member);
            EXCEPTION WHEN insufficient_privilege THEN
                IF NOT pg_has_role(member, role_name, wanted) THEN
                    RAISE EXCEPTION '% may not take the role %, and % may not grant it: let who may run GRANT % TO %',
                        member, role_name, current_user, role_name, member USING ERRCODE = 'insufficient_privilege';
                END IF;
            END;
        END LOOP;
    END LOOP;
END $$;
---
REVOKE ALL ON SCHEMA public FROM PUBLIC;
---
GRANT USAGE ON SCHEMA public TO ai_admin_app, ai_admin_intake, ai_admin_worker, ai_admin_login;
---
-- Row-level security, forced: every table with a company_id but the one global of them.
DO $$
DECLARE table_name text;
BEGIN
    FOR table_name IN
        SELECT c.relname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname <> 'webhook_tokens'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format(
            'CREATE POLICY company ON %I USING (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)'
            ' WITH CHECK (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)', table_name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO ai_admin_app', table_name);
    END LOOP;
END $$;
---
GRANT SELECT, INSERT, UPDATE, DELETE ON companies, webhook_tokens TO ai_admin_app;
---
-- A process looks at its start whether the schema is new enough for it.
GRANT SELECT ON alembic_version TO ai_admin_login;
---
-- Second exception of three: the worker role sees the work of every company, and no other table.
CREATE POLICY every_company ON work TO ai_admin_worker USING (true) WITH CHECK (true);
---
GRANT SELECT, UPDATE ON work TO ai_admin_worker;
---
-- First exception: the intake role stores updates through this function, and reads nothing. (The third is that
-- webhook_tokens is global: a token names its company.)
CREATE FUNCTION ai_admin_accept(
    p_company_ids uuid[], p_channel_ids uuid[], p_dialogue_ids uuid[], p_ids uuid[],
    p_dialogue_keys text[], p_update_keys text[], p_payloads bytea[],
    p_accepted_at timestamptz[], p_due_at timestamptz[]
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    company uuid;
    accepted integer := 0;
    stored integer;
BEGIN
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
            RETURNING channel_id, dialogue_id, update_key
        ), rung AS (
            INSERT INTO work AS w (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
            SELECT company, k.dialogue_id, 'turn', '00000000-0000-0000-0000-000000000000', k.channel_id, min(o.due_at)
            FROM kept k JOIN once o USING (channel_id, update_key)
            GROUP BY k.dialogue_id, k.channel_id ORDER BY k.dialogue_id
            ON CONFLICT (company_id, dialogue_id, kind, subject_id) DO UPDATE
                SET wake = w.wake + 1, due_at = least(coalesce(w.due_at, excluded.due_at), excluded.due_at)
            RETURNING 1
        )
        SELECT count(*) INTO stored FROM kept;
        accepted := accepted + stored;
    END LOOP;
    RETURN accepted;
END $$;
---
REVOKE ALL ON FUNCTION ai_admin_accept FROM PUBLIC;
---
GRANT EXECUTE ON FUNCTION ai_admin_accept TO ai_admin_intake;
---
-- Partitions of `messages` by month, made ahead; the default one takes what no month was made for.
CREATE TABLE messages_other PARTITION OF messages DEFAULT;
---
-- Asked directly, past `messages` and its policy, a partition shows nothing.
ALTER TABLE messages_other ENABLE ROW LEVEL SECURITY;
---
ALTER TABLE messages_other FORCE ROW LEVEL SECURITY;
---
CREATE FUNCTION ai_admin_make_partitions(p_first date, p_last date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    month date := date_trunc('month', p_first)::date;
    name text;
    made integer := 0;
BEGIN
    IF p_last > p_first + interval '2 years' THEN
        RAISE EXCEPTION 'more than two years of partitions at once';
    END IF;
    WHILE month <= p_last LOOP
        name := 'messages_' || to_char(month, 'YYYY_MM');
        IF to_regclass('public.' || name) IS NULL
           AND NOT EXISTS (SELECT FROM messages_other WHERE at >= month AND at < month + interval '1 month') THEN
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.messages FOR VALUES FROM (%L) TO (%L)',
                           name, month, (month + interval '1 month')::date);
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', name);
            made := made + 1;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$;
---
REVOKE ALL ON FUNCTION ai_admin_make_partitions FROM PUBLIC;
---
GRANT EXECUTE ON FUNCTION ai_admin_make_partitions TO ai_admin_app;
