"""Ledgers that fail on order."""

from agents.ledger import LedgerError, MemoryLedger


class FullLedger(MemoryLedger):
    """Cannot be written while `full`."""

    full = False

    def write(self, changes, done):
        if self.full:
            done(LedgerError("the disk is full"))
        else:
            super().write(changes, done)
