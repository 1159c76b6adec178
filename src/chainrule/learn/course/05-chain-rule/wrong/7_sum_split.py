"""The sum shares out what arrives, half to each. It does not: each operand's nudge arrives whole, so each gets all of
dL_dd."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = -1.0
dL_da, dL_db = 3.0, -2.0
