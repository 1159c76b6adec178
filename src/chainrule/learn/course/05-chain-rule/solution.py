a, b, c, f = 2.0, -3.0, 10.0, -2.0
e = a * b
d = e + c
L = d * f

dL_dd = f
dL_df = d

dL_de = 1.0 * dL_dd
dL_dc = 1.0 * dL_dd

dL_da = b * dL_de
dL_db = a * dL_de
