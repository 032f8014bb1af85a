"""Letting people in, locking, confirming, signing out; invitations; places in the clinic."""
