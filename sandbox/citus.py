"""The two functions of Citus that distribute a table, as far as their documents say what they refuse.

It distributes nothing: it looks at PostgreSQL's own catalogue, raises what Citus would, and notes what was asked for.
(https://docs.citusdata.com/en/stable/develop/reference_ddl.html,
https://docs.citusdata.com/en/stable/develop/api_udf.html, https://docs.citusdata.com/en/stable/extra/triggers.html)
"""

STATEMENTS = (
    "CREATE TABLE pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod text, colocated_with text)",
    """
CREATE FUNCTION create_reference_table(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_constraint k LEFT JOIN pg_dist_partition d ON d.logicalrelid = k.confrelid
        WHERE k.contype = 'f' AND k.conrelid = p_table AND d.partmethod IS DISTINCT FROM 'n'
    ) THEN
        RAISE EXCEPTION 'a foreign key of reference table % leads to a table that is none', p_table;
    END IF;
    INSERT INTO pg_dist_partition VALUES (p_table, 'n', NULL);
END $$""",
    """
CREATE FUNCTION create_distributed_table(p_table regclass, p_column text, colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    number smallint := (SELECT attnum FROM pg_attribute WHERE attrelid = p_table AND attname = p_column);
BEGIN
    IF number IS NULL THEN
        RAISE EXCEPTION 'column % of relation % does not exist', p_column, p_table;
    END IF;
    IF EXISTS (SELECT FROM pg_index i WHERE i.indrelid = p_table AND i.indisunique AND NOT number = ANY (i.indkey)) THEN
        RAISE EXCEPTION 'a unique key of % does not contain the distribution column', p_table;
    END IF;
    IF EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = p_table AND NOT t.tgisinternal) THEN
        RAISE EXCEPTION 'relation % has triggers', p_table;
    END IF;
    IF EXISTS (
        SELECT FROM pg_constraint k LEFT JOIN pg_dist_partition d ON d.logicalrelid = k.confrelid
        WHERE k.contype = 'f' AND k.conrelid = p_table
          AND (d.partmethod IS NULL OR (d.partmethod = 'h' AND NOT number = ANY (k.conkey)))
    ) THEN
        RAISE EXCEPTION 'a foreign key of % leads to a local table, or lacks the distribution column', p_table;
    END IF;
    IF EXISTS (
        SELECT FROM pg_constraint k JOIN pg_dist_partition d ON d.logicalrelid = k.conrelid
        WHERE k.contype = 'f' AND k.confrelid = p_table AND d.partmethod = 'n'
    ) THEN
        RAISE EXCEPTION 'a reference table leads to %', p_table;
    END IF;
    IF colocate_with NOT IN ('none', 'default')
       AND NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = colocate_with::regclass) THEN
        RAISE EXCEPTION 'relation % is not distributed', colocate_with;
    END IF;
    INSERT INTO pg_dist_partition VALUES (p_table, 'h', colocate_with);
END $$""",
)
"""Make a database pretend that it has Citus."""
