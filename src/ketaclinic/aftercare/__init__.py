"""What the patient takes home: instructions, whom to call, and the contact the day after."""
