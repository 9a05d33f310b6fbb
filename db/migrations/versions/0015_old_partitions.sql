-- The function below asks for the longest term of all companies; its owner, no superuser, is subject to the policies.
CREATE POLICY longest_term ON company_agent_settings FOR SELECT TO CURRENT_USER USING (true);
---
-- Drops the months of `messages` that are older than any company keeps its texts, and returns how many there were. The
-- term is looked up here, and no later day than today's believed: a caller cannot have younger words dropped. A day is
-- left over, as the bounds were written in some session's zone. To drop a partition locks the whole table: who does not
-- get the lock in a second tries again another time, and nobody queues behind.
CREATE FUNCTION ai_admin_drop_partitions(p_today date, p_default_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    name text;
    longest integer;
    dropped integer := 0;
BEGIN
    IF p_default_days < 1 THEN
        RAISE EXCEPTION 'texts are kept for a day at the least';
    END IF;
    SELECT greatest(p_default_days, max((privacy -> 'keep' ->> 'texts')::integer)) INTO longest
    FROM company_agent_settings;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.messages'::regclass AND c.relname ~ '^messages_\d{4}_\d{2}$'
          AND to_date(c.relname, '"messages_"YYYY_MM') + interval '1 month 1 day'
              <= least(p_today, current_date) - longest
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE public.%I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
---
REVOKE ALL ON FUNCTION ai_admin_drop_partitions FROM PUBLIC;
---
GRANT EXECUTE ON FUNCTION ai_admin_drop_partitions TO ai_admin_app;
