"""Workloads with a reproducible input; ``make bench`` runs them and writes ``docs/benchmarks.md``."""
