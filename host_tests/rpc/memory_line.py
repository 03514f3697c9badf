# SPDX-License-Identifier: MIT
"""A board's end of a serial line made of bytes in memory."""


class MemoryLine:
    """Standard input and output of a board: requests in, answers out; ends when they are used up."""

    def __init__(self, data=b""):
        self.data = data
        self.out = bytearray()

    def readinto(self, buffer):
        size = min(len(buffer), len(self.data))
        buffer[:size] = self.data[:size]
        self.data = self.data[size:]
        return size

    def write(self, data):
        self.out += data
