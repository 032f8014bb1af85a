"""Supervised sessions: each one append-only timeline, from arrival to leaving."""
