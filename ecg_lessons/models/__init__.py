"""Keras networks, one module per published project."""
