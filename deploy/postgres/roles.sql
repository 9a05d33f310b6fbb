-- The two logins and the database, made once by a superuser before the first `ai-admin db upgrade`:
--
--   { echo "\set owner_password '…'"; echo "\set login_password '…'"; cat deploy/postgres/roles.sql; } \
--     | sudo -u postgres psql -X -v ON_ERROR_STOP=1
--
-- The owner brings the schema up and makes the roles that nobody logs in as (CREATEROLE); it is no superuser. The
-- processes log in as ai_admin_login, which owns nothing, inherits nothing, and takes a role for each transaction.
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
