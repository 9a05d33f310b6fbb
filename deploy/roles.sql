-- The roles of a database of AI-Admin, for a server that has never had one: a dump of a database holds no roles.
-- As db/migrations makes them; tests/reliability/test_restore.py compares the two. Safe to run again.
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
GRANT ai_admin_app, ai_admin_intake, ai_admin_worker TO ai_admin_login;
GRANT ai_admin_app, ai_admin_intake, ai_admin_worker TO CURRENT_USER;
