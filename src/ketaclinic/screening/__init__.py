"""What is known about a person before anybody decides: history, medicines, measurements, trials, and the decision."""
