"""One same-shaped folder per outside system."""
