"""The decisions: values in, decision out. No clock, no files, no record."""
