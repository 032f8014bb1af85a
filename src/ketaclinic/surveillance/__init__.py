"""Long-term screens: what was done, what is due, what nobody has looked at yet."""
