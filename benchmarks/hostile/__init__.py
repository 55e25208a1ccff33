"""What hostile peers send, and what comes of it.

* `fuzz`: mutations of honest messages into a coordinator and an agent, without a broker.
* `flood`: a client on a real broker that floods, forges, replays and sends 256 MiB at once.
"""
