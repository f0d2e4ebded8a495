"""Read files of leads, whatever they are, into one staged Parquet file of text cells with their row numbers."""
