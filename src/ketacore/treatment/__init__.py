"""May this session start, what is due, which alert, may this person go home."""
