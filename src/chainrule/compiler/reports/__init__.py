"""Reports for users: `explain()`, and each fallback to something slower, with its reason."""
