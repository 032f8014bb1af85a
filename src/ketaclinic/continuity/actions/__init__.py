"""Backing up, restoring, printing sheets beforehand. Its modules are imported one by one: most need no record."""
