"""When the server is gone: encrypted backups, restoring, sheets to print beforehand, entries made up afterwards."""
