"""Turn text cells into clean, typed fields: in SQL where a statement can, in Python on distinct values where it cannot."""
