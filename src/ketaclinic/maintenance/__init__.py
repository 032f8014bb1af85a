"""The next session: the proposal of the core and the answer of the clinician."""
