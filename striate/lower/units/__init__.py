"""Units of a plan: how operations that are computed together become calls of kernels."""
