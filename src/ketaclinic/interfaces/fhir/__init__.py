"""FHIR R4 in and out: bundles of other systems become our rows; our record leaves as a complete bundle."""
