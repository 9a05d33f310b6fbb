DROP TABLE notice_wordings, erasures, signing_keys;
---
DROP INDEX dialogue_memory_noted_idx, sessions_with_state_idx, sessions_company_id_proved_phone_idx,
    sessions_company_id_typed_phone_idx, calls_company_id_caller_idx;
---
ALTER TABLE calls DROP COLUMN notice_version;
---
ALTER TABLE sessions DROP COLUMN notice_at, DROP COLUMN notice_version;
---
ALTER TABLE company_agent_settings DROP COLUMN privacy;
