"""The demo clinic: synthetic people drawn from published figures, at every stage, with today's floor in full swing."""
