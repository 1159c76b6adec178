"""For a and b that is what arrives at e, as if the product handed it on unchanged. Multiply it with the local derivatives, b
and a."""

dL_dd, dL_df = -2, 4
dL_de = dL_dc = -2
dL_da = dL_db = -2
