"""What Muster itself costs: CPU per task, hops over the broker, and the import.

`benchmark` puts it together; each part is a module with a `measure`. Processes of their own import
single modules from here, so this one imports nothing.
"""
