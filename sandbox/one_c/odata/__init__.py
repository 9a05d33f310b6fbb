"""A local 1C:Enterprise infobase behind its standard OData interface, in the names of several configurations."""
