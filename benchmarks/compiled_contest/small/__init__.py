"""Small calls: of a few numbers, where a call costs more than what it calculates."""
