"""The expected course of a dose, shown beside what is measured, compared in a plan, and explained to everybody."""
