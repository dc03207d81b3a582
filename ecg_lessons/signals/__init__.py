"""From recordings to the inputs of networks."""
