"""Measured follow-up: forms with their scores, the course of the scores, and alerts with an owner and a clock."""
