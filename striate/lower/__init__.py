"""From a model's graph to a plan of kernel calls, and the door to the library that runs it."""
