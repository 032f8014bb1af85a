"""What the patient takes home: until when no driving, what to watch for, whom to call, when the clinic will call.

Every line rests on a rule; a line whose rule does not act here (another place, unsigned, unchecked) is left out, and
the sheet says so to the clinic. The clinic's own emergency contact is never missing: without one there is no sheet.
"""

from ketacore.aftercare.decide import (
    RULES,
    AftercareFacts,
    Instructions,
    Line,
    NoDriving,
    PhoneNumber,
    contact_due_on,
    instructions,
    no_driving_until,
)

__all__ = [
    "RULES",
    "AftercareFacts",
    "Instructions",
    "Line",
    "NoDriving",
    "PhoneNumber",
    "contact_due_on",
    "instructions",
    "no_driving_until",
]
