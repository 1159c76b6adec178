"""Local derivative and upstream are added, in place of multiplied. Rates multiply: b * dL_de."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = -1
dL_da, dL_db = -4, 1
