"""What is looked at."""


def the_last_product(my):
    """dL_dd and dL_df"""
    return [my.dL_dd, my.dL_df]


def the_sum(my):
    """dL_de and dL_dc"""
    return [my.dL_de, my.dL_dc]


def the_first_product(my):
    """dL_da and dL_db"""
    return [my.dL_da, my.dL_db]
