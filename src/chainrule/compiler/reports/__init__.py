"""What users are told: the report of `explain()`, and each fallback to something slower, with its reason."""
