"""Clinics, staff and their roles, patients and caregivers. Every query goes through the clinic of the person asking."""
