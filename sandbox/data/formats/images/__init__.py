"""Lists and tables that name images, and archives that hold them: Parquet, tar shards, records."""
