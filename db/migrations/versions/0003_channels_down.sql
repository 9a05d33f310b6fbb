-- Back to version 0002.
DROP TABLE sent_messages;
---
ALTER TABLE replies DROP COLUMN delivered_at, DROP COLUMN read_at, DROP COLUMN window_closed;
---
ALTER TABLE sessions DROP COLUMN client_id, DROP COLUMN language_chosen, DROP COLUMN source;
---
DROP TABLE clients;
---
ALTER TABLE webhook_tokens DROP COLUMN address;
