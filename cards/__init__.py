"""The dataset card template and the `evaluate` modules, shipped as data."""
