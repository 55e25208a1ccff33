"""How far one coordinator goes: devices, running tasks, tasks of a run, memory, pauses, file."""
