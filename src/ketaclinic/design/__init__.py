"""Tokens, components and the page that shows them; refusals and errors in plain words."""
