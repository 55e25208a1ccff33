"""Let a model do a task with the skills of this device: the skill `agent.do`.

It can do no more than whoever calls it: it gets the skills that the owner's settings name, as far
as everyone who may call `agent.do` may use them too. The effect of `agent.do` is the strictest of
those skills.

**What is promised after a crash.** Whatever the model lets do is in a transcript in the device's
state folder before it begins, and again when it has ended.

* A `once` call that was started is not started again by a later attempt of the same task with the
  same arguments on this device. If nobody knows what came of it, the outcome of the attempt is
  unknown (`reconcile`), and an attempt that goes on all the same is told so.
* Where no `once` call is in doubt, the outcome is a failure that says what was carried out; or the
  result, if that was all that was missing.
* A further attempt on this device goes on where the transcript ends. On another device, or without
  the transcript (`FILES`, `SIZE_BYTES`), it begins anew.

It does not keep a model from asking for the same call twice: those are two calls.

`toolbox`, `records`, `results`, `texts` are pure; `transcripts` has the files, `loop` the work.
"""

from agents.builtin.agent.skill import permitted, skills

__all__ = ["permitted", "skills"]
