"""The price of an arithmetic-average Asian call by Monte Carlo, with its derivatives in s0, vol and r."""
