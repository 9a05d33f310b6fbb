-- The logins and the database, made once by a superuser before the first `ai-admin db upgrade`:
--
--   { echo "\set owner_password '…'"; echo "\set login_password '…'"; cat deploy/postgres/logins.sql; } \
--     | sudo -u postgres psql -X -v ON_ERROR_STOP=1
--
-- The owner brings the schema up and makes the roles that nobody logs in as (CREATEROLE); it is no superuser. The
-- processes log in as ai_admin_login, which owns nothing, inherits nothing, and takes a role for each transaction.
-- With a backup_password there is a third login, which sees every company's rows and changes none: row-level security is
-- forced on the owner too, so that the owner cannot make a backup.
-- Names other than these: -v owner=… -v database=…  (the login's name is fixed, the migrations grant to it).
\if :{?owner}
\else
    \set owner ai_admin_owner
\endif
\if :{?database}
\else
    \set database ai_admin
\endif
CREATE ROLE :"owner" LOGIN CREATEROLE NOSUPERUSER PASSWORD :'owner_password';
CREATE ROLE ai_admin_login LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT PASSWORD :'login_password';
CREATE DATABASE :"database" OWNER :"owner" TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO ai_admin_login;
\if :{?backup_password}
    CREATE ROLE ai_admin_backup LOGIN NOSUPERUSER BYPASSRLS PASSWORD :'backup_password';
    GRANT pg_read_all_data TO ai_admin_backup;
    GRANT CONNECT ON DATABASE :"database" TO ai_admin_backup;
\endif
