ALTER TABLE company_agent_settings DROP COLUMN budget_soft_cents, DROP COLUMN budget_hard_cents;
---
ALTER TABLE turns DROP COLUMN model, DROP COLUMN cost_microusd;
---
DROP TABLE spending;
