"""Append-only log of who did what to whom, and when. Features never read it.

Identities are kept as plain values, not foreign keys: the log outlives what it speaks of, and stands below
every other room.
"""
