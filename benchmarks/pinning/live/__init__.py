"""Pinning with real agents: processes over mosquitto, and a resource whose load is real work.

Fixed before any run, and the same with and without pinning:

* a session takes `R_S` seconds of key stretching (PBKDF2) to load: as many iterations as one
  core of this machine does in that time, measured first;
* the host has memory for `CAPACITY` sessions and no other limit; a turn works for `WORK_S`;
* each run is `TURNS` turns in one session; between turns a tool on another device takes a time
  drawn from `GAPS_S` (most are short);
* runs arrive at random, at `LOAD` of the rate that the closed form says the host sustains
  *without* pinning, where each turn holds memory for `R + x`. With pinning a turn and the gap
  before it hold `x + H(tau) + (1 - F(tau))·R`, which is 0.6 of that for these gaps.

The mean time from submission to result is compared, run by run with the same arrivals and gaps.
"""
