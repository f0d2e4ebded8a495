"""The ERP connectors that ship with sfactl."""
