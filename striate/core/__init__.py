"""What a network is: geometry, shapes, traced calls, layers and graphs; no data, no training."""
