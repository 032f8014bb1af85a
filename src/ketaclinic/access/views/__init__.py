"""Pages of this room: the way in, the lock, one's own sign-in, the staff list."""
