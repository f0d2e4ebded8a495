"""Turn text cells into clean, typed fields: in SQL where it can, in Python on distinct values where it cannot."""
