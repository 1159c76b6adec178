dL_dd, dL_df = -2, 4
dL_de = dL_dc = -2
dL_da, dL_db = 6, -4
