"""Configuration: dataclasses are the schema, TOML files are read strictly, and every value knows where it came from."""
