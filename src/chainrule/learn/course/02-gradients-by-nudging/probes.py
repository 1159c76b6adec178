"""What is run."""


def of_a_product(my):
    """slopes of xs[0] * xs[1] + xs[2] at [2, -3, 10], with h = 0.5"""
    return my.slopes(lambda xs: xs[0] * xs[1] + xs[2], [2.0, -3.0, 10.0], 0.5)


def leaves_the_numbers(my):
    """what xs is after slopes(f, xs, 0.25), which began as [1, 2]"""
    xs = [1.0, 2.0]
    my.slopes(sum, xs, 0.25)
    return xs


def calls(my):
    """how often f is called for 5 numbers"""
    count = []
    my.slopes(lambda xs: count.append(1) or sum(xs), [1.0] * 5, 0.25)
    return len(count)
