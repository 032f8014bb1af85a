"""Versioned consent texts, signatures with witness and teach-back, withdrawals."""
