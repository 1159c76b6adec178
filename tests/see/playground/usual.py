"""Settings of a small run."""

USUAL = {
    **{"data": "moons", "own": {"points": [], "labels": []}, "samples": 40, "noise": 0.1, "seed": 0, "heldOut": 0.2},
    **{"hidden": [4, 3], "activation": "tanh", "init": "xavier", "loss": "max_margin", "optimizer": "SGD"},
    **{"rate": 0.1, "batch": 16},
}
