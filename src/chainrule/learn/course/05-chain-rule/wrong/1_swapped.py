"""The two of a product are swapped: nudge d, and L = d * f changes f times as fast. So dL_dd is f, and dL_df is d; the same
for a and b."""

dL_dd, dL_df = 4, -2
dL_de = dL_dc = 4
dL_da, dL_db = 8, -12
