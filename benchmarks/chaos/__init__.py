"""Real kills: a broker, a coordinator and daemons are killed at random while runs go on.

`workload` draws the runs and `schedule` the kills, both from the seed. `site` starts the
processes, `stream` submits runs as any client would, and `campaign` strikes. The skills write to
a file outside of the system (`effects`), from which `oracle` recounts what really happened and
holds it against what clients were told.
"""
