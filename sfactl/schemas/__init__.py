"""Dataset schemas as data: what one row is, its columns, types and key, and how older versions are read."""

from sfactl.schemas.dataset import Dataset, Schemas, core_schemas

__all__ = ["Dataset", "Schemas", "core_schemas"]
