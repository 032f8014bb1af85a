"""Which clinic policies (grade D) the medical director has signed; without a signature they have no effect."""
