"""What the Makefile calls: the test run, generated pages, pictures, lock files."""
