"""The demo: one request on five devices, of which one is killed, and the coordinator too.

`fleet` makes the devices and their files, `scenario` says what happens, on one of two stages
(`processes` around a broker, or `in_memory`), `check` recomputes the report from the files, and
`timeline` draws what the journal says.
"""
