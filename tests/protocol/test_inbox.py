from protocol.inbox import Inbox


def test_a_repeat_is_seen_once_per_sender():
    inbox = Inbox()

    answers = [inbox.seen("laptop", b"c-1"), inbox.seen("laptop", b"c-1")]

    assert answers == [False, True]
    assert not inbox.seen("server", b"c-1")


def test_the_oldest_key_of_a_sender_is_forgotten_first():
    inbox = Inbox(keys_per_sender=2)
    for key in "abc":
        inbox.seen("laptop", key)

    assert [inbox.seen("laptop", key) for key in "bca"] == [True, True, False]


def test_the_sender_silent_for_longest_is_forgotten_first():
    inbox = Inbox(senders=2)
    for sender in ("laptop", "server", "laptop", "phone"):
        inbox.seen(sender, "k")

    assert inbox.seen("laptop", "k")
    assert not inbox.seen("server", "k")


def test_malformed_messages_are_counted_and_worth_a_line_once_per_sender():
    inbox = Inbox()
    inbox.seen("server", "k")

    first = [inbox.malformed(sender) for sender in ("laptop", "laptop", "phone")]

    assert first == [True, False, True]
    assert inbox.malformed_counts() == {"laptop": 2, "phone": 1}
