"""Workloads with a reproducible input; ``make bench`` runs them and writes ``docs/benchmarks.md``."""

import os

# Goals are for one core: a second thread of the linear algebra would only spin and be counted as work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
