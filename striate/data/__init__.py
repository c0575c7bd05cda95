"""Numbers and images on their way in: data sets, batches, and the checks before the first step."""
