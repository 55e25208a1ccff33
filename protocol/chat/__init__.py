"""Talk to a model behind any OpenAI-compatible endpoint.

Here, and on neither side, because both do: the coordinator to plan, a device to work. Nothing in
it knows of plans or skills.

Pure: `exchange` (questions and answers) · `dialect`, `tools`, `stream` (what servers understand
and say) · `embedded` (JSON in an answer's words) · `retrying`, `budget`, `tokens`, `redaction`.
I/O: `client`, which alone loads httpx, and is not loaded from here. `settings` is the part of a
settings file that says where a model is.
"""

from protocol.chat.budget import Account, Budget, SpentError
from protocol.chat.dialect import Dialect, Format, Limit
from protocol.chat.exchange import (
    Call,
    Called,
    Finish,
    Message,
    Model,
    ModelError,
    Reply,
    Returned,
    Tool,
    ToolCall,
    TryAgainError,
    Usage,
)
from protocol.chat.patience import Patience

__all__ = [
    "Account",
    "Budget",
    "Call",
    "Called",
    "Dialect",
    "Finish",
    "Format",
    "Limit",
    "Message",
    "Model",
    "ModelError",
    "Patience",
    "Reply",
    "Returned",
    "SpentError",
    "Tool",
    "ToolCall",
    "TryAgainError",
    "Usage",
]
