"""Who is let in: sign-in, second factor, invitations, signed-in devices, the idle lock, confirmations."""
