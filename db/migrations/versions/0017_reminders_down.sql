DROP TABLE reminders;
---
ALTER TABLE appointments DROP COLUMN by_staff, DROP COLUMN confirmed_for, DROP COLUMN crm_told_of;
---
ALTER TABLE company_agent_settings DROP COLUMN reminder_minutes, DROP COLUMN quiet_hours;
