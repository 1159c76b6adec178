"""The graph: a traced calculation as numbered nodes; its text, its passes, and its derivatives."""
