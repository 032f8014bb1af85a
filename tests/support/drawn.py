"""What Hypothesis draws: the same in every run, so that a change is judged by itself. A pytest plugin.

``HYPOTHESIS_PROFILE=new`` draws other examples, as ``make reliability`` does; what they find becomes an ``@example``.
No example has a time limit: speed is measured in benchmarks.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("new", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
