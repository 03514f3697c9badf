# SPDX-License-Identifier: MIT
"""A session: one running cryptographic operation and one search, kept apart.

Promises: a search may run while a signature is pending; at most one operation and one search each.
Ending an operation gives its key slot back, whatever ended it.
"""

from micropython import const

from .const import CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED
from .errors import P11Error

DIGEST = const(1)  # kinds of operation
SIGN = const(2)
VERIFY = const(3)
ENCRYPT = const(4)
DECRYPT = const(5)


class Session:
    """State of one session handle. Attribute rw: whether it may change token objects."""

    def __init__(self, handle, rw):
        self.handle = handle
        self.rw = rw
        self.operation = None
        self.found = None  # ids still to be handed out by C_FindObjects

    def idle(self):
        """Raise CKR_OPERATION_ACTIVE when an operation is running."""
        if self.operation is not None:
            raise P11Error(CKR_OPERATION_ACTIVE)

    def start(self, kind, operation):
        """Make operation the running one."""
        operation.kind = kind
        self.operation = operation

    def running(self, kind):
        """Return the running operation of this kind, or CKR_OPERATION_NOT_INITIALIZED."""
        operation = self.operation
        if operation is None or operation.kind != kind:
            raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
        return operation

    def end(self):
        """End the running operation, if any."""
        operation = self.operation
        if operation is not None:
            self.operation = None
            operation.close()

    def close(self):
        """End everything."""
        self.end()
        self.found = None
