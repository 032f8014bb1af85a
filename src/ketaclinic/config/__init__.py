"""Settings, addresses, the application as the server loads it."""
