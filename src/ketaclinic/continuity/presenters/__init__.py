"""What the printed sheets and the pages about the downtime say."""
