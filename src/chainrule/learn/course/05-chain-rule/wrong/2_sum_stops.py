"""The sum hands on 1, its local derivative alone. Multiply it with what arrives at d: 1 * dL_dd."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = 1
dL_da, dL_db = -3, 2
