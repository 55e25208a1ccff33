"""Plans, schedules and keeps whole what many devices do together."""
