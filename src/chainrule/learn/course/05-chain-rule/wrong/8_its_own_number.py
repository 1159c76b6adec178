"""For f the derivative is f itself. The local derivative of a product is the *other* operand: dL_df is d."""

dL_dd, dL_df = -2, -2
dL_de = dL_dc = -2
dL_da, dL_db = 6, -4
