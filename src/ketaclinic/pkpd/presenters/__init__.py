"""Pictures and sentences of expected courses."""
