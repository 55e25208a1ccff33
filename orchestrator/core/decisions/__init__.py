"""What follows from an event: one function for each kind of event, grouped by what it concerns."""
