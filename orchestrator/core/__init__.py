"""The pure half of the coordinator: events in, facts and commands out. See `engine`."""
