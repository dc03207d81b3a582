"""The notebooks of the course: built from their sources, executed, and shown as pages."""
