"""Irregular graphs: levelised and gathered, one small loop for each kind of operation, whatever the graph's size."""
