"""The last two are swapped: e = a * b changes b times as fast as a, so dL_da is b * dL_de."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = -2
dL_da, dL_db = -4, 6
