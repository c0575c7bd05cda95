"""Training: the step, the loop around it, the hooks that watch it."""
