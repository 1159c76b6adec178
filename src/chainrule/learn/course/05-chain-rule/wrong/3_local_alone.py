"""For a and b that is the local derivative alone, b and a. It says how fast e changes, and not L: multiply it with dL_de."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = -2
dL_da, dL_db = -3, 2
