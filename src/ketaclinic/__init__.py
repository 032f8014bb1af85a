"""The record: stores what happened, shows it, asks the core for every clinical decision."""
