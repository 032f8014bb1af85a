"""Long-term surveillance: which screen is due when, from the course so far. No result on file is never "fine"."""
