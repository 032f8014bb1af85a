"""What is known about restores, backups and the printed sheets."""
