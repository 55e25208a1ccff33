"""Errors of the protocol package.

```
ProtocolError
├── LocalProtocolError      we were about to say something the protocol forbids: our bug
└── RemoteProtocolError     their bytes say something the protocol forbids
TransportError
├── NotConnectedError       nothing was sent, the connection is down
├── QueueFullError          nothing was sent, the bounded queue is full
├── UnreachableError        no broker answers at this address
└── RefusedLoginError       the broker knows us and says no
```
"""


class ProtocolError(Exception):
    """The conversation broke a rule."""


class LocalProtocolError(ProtocolError):
    """We were about to say something the protocol forbids: our bug."""


class RemoteProtocolError(ProtocolError):
    """Their bytes say something the protocol forbids."""


class TransportError(Exception):
    """A message could not be sent or a connection not be made."""


class NotConnectedError(TransportError):
    """Nothing was sent: the connection is down."""


class QueueFullError(TransportError):
    """Nothing was sent: the bounded queue is full."""


class UnreachableError(TransportError):
    """No broker answers at this address."""


class RefusedLoginError(TransportError):
    """The broker knows us and says no."""
