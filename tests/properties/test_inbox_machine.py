"""The inbox against two plain lists: it tells every repeat that it can still know of."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.inbox import Inbox

KEYS, SENDERS = 2, 2
senders = st.sampled_from(["laptop", "laptop", "phone", "server"])
keys = st.sampled_from([b"a", "a", 1, ("a", 1)])


class InboxMachine(RuleBasedStateMachine):
    """Messages of a few senders, some of them repeats, some without sense."""

    def __init__(self):
        super().__init__()
        self.inbox = Inbox(keys_per_sender=KEYS, senders=SENDERS)
        self.senders = []
        """Names, keys and malformed messages; the one heard last is last."""

    def heard(self, name):
        known = next((each for each in self.senders if each[0] == name), [name, [], 0])
        self.senders = [*(each for each in self.senders if each[0] != name), known][-SENDERS:]
        return known

    @rule(sender=senders, key=keys)
    def take(self, sender, key):
        known = self.heard(sender)
        repeat = key in known[1]
        assert self.inbox.seen(sender, key) == repeat
        if not repeat:
            known[1] = [*known[1], key][-KEYS:]

    @rule(sender=senders)
    def reject(self, sender):
        known = self.heard(sender)
        known[2] += 1
        assert self.inbox.malformed(sender) == (known[2] == 1)

    @invariant()
    def counts_are_right(self):
        assert self.inbox.malformed_counts() == {n: wrong for n, _, wrong in self.senders if wrong}


TestInbox = InboxMachine.TestCase
TestInbox.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
