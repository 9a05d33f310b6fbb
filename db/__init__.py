"""Everything durable or shared: PostgreSQL, Redis, keys."""
