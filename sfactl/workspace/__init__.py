"""The storage engine: Parquet files and one manifest."""
