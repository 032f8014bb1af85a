"""The plan a prescriber signed, its changes with reasons, and the dated series on the clinic's chairs."""
