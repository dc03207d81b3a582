"""Deep learning on the electrocardiogram: the package under the lessons."""
