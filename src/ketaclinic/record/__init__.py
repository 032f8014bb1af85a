"""What all stages write with: append-only clinical rows, the one timeline of a patient, stored decisions."""
