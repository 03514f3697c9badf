# SPDX-License-Identifier: MIT
"""Requests longer than one frame (docs/PROTOCOL.md section 4).

Promises: a body of up to ROOM bytes is collected and executed as if it had come in one frame; a
longer one is executed while it arrives, if its call takes data in pieces, and refused after its
first frame otherwise. Every frame gets exactly one answer: ACK, or the answer to the call.
"""

from struct import unpack_from

from micropython import const
from p11crypto import wipe

from .const import (
    CKR_BUFFER_TOO_SMALL,
    CKR_DATA_LEN_RANGE,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_OPERATION_NOT_INITIALIZED,
)
from .errors import P11Error
from .rpc_calls import BYTES, NAME, PIECES, REPLY, STYLE
from .rpc_dispatch import REPLY_HEAD, find
from .rpc_line import ACK, BAD_LENGTH, BAD_TYPE, HEADER, MORE, PART, RPC

ROOM = const(8192)  # bytes of the longest body that is collected

_PREFIX = const(8)  # total length and the body's last four bytes
_TOTAL_MAX = const(0x1000000)
_NONE = const(0xFFFFFFFF)
_VALID = const(1)


class LongRequest:
    """The long request under way, if any."""

    def __init__(self, line, dispatcher):
        self._line = line
        self._dispatcher = dispatcher
        self._buffer = bytearray(ROOM)
        self._view = memoryview(self._buffer)
        self._number = 0  # connection; 0 when nothing is under way
        self._left = 0  # bytes of the body still to come
        self._data = 0  # of these: bytes of data to hand on
        self._kept = 0  # bytes in the buffer
        self._call = None
        self._id = 0
        self._session = 0
        self._room = 0
        self._first = False

    def drop(self):
        """Forget the request under way."""
        if self._number:
            self._number = 0
            wipe(self._view[: self._kept])

    def take(self, kind, connection, size):
        """Handle a frame with MORE or PART whose payload is size bytes."""
        line = self._line
        at = HEADER
        end = HEADER + size
        if kind & PART:
            if connection.number != self._number:
                self.drop()
                line.bad(BAD_TYPE)
                return
        else:
            self.drop()
            if size < _PREFIX:
                line.bad(BAD_LENGTH)
                return
            self._left = unpack_from(">I", line.frame, at)[0]
            self._room = unpack_from(">I", line.frame, at + 4)[0]
            self._number = connection.number
            self._kept = self._data = 0
            self._call = None
            at += _PREFIX
        total = self._left
        self._left = total - (end - at)
        if self._left < 0 or (self._left > 0) != bool(kind & MORE):
            self.drop()
            line.bad(BAD_LENGTH)
            return
        try:
            if not kind & PART and total > ROOM:
                at = self._open(connection, at, end, total)
            if self._number:
                self._feed(connection, at, end)
        except P11Error as error:
            self.drop()
            self._dispatcher.answer.error(error.ckr)
            self._send(connection)
        except Exception as error:
            self.drop()
            self._dispatcher.failed(error)
            self._send(connection)
        if not self._number:
            return  # answered already
        if kind & MORE:
            line.send(ACK, connection.number, 0)
        else:
            self._finish(connection)

    def _open(self, connection, at, end, total):
        """Begin to execute a body while it arrives; return where its data begins."""
        line = self._line
        frame = line.frame
        call = find(frame, at)
        call_id = frame[at + 3]
        if call_id not in PIECES or total > _TOTAL_MAX:
            raise P11Error(CKR_DEVICE_MEMORY)
        request = self._dispatcher.request
        request.load(frame, line.view, at, end)
        request.begin(call)
        if end - request.at < 13:
            raise P11Error(CKR_DEVICE_ERROR)
        self._session = request.ulong()
        valid = frame[request.at]
        request.at += 1
        self._data = request.length()
        rest = total - (request.at - at) - self._data
        if valid != _VALID or rest < 0 or rest > ROOM or (call[STYLE] == BYTES and rest != 4):
            raise P11Error(CKR_DEVICE_ERROR)
        self._call = call
        self._id = call_id
        self._dispatcher.plan(call_id, call)
        self._first = True
        if call[STYLE] == BYTES and self._too_small(connection):
            self.drop()
        return request.at

    def _too_small(self, connection):
        """Answer with the result's length if the caller's buffer cannot take it."""
        if self._room == _NONE:
            self._room = 0
        try:
            getattr(connection.application, self._call[NAME])(self._session, b"", 0)
        except P11Error as error:
            if error.ckr != CKR_BUFFER_TOO_SMALL:
                raise
            if self._room < error.length:
                self._dispatcher.refuse(error, self._id)
                self._send(connection)
                return True
        return False

    def _feed(self, connection, at, end):
        """Take the bytes frame[at:end] of the body."""
        view = self._line.view
        if self._data:
            piece = min(self._data, end - at)
            self._data -= piece
            update = getattr(connection.application, PIECES[self._id][0])
            try:
                if piece:
                    update(self._session, view[at : at + piece])
            except P11Error as error:
                if self._first and PIECES[self._id][1] and self._single(error):
                    raise P11Error(CKR_DATA_LEN_RANGE)
                raise
            self._first = False
            at += piece
        size = end - at
        self._view[self._kept : self._kept + size][:] = view[at:end]
        self._kept += size

    def _single(self, error):
        """Return whether the mechanism takes no parts: too much data for it, then."""
        return error.ckr == CKR_OPERATION_NOT_INITIALIZED

    def _finish(self, connection):
        """All is there: execute, answer."""
        dispatcher = self._dispatcher
        if self._call is None:
            dispatcher.request.load(self._buffer, self._view, 0, self._kept)
            dispatcher.execute(connection)
            self._back_to_frames()
            self.drop()
            return
        answer = dispatcher.answer
        last = PIECES[self._id][1]
        try:
            result = None
            if self._call[STYLE] == BYTES:
                result = getattr(connection.application, last)(self._session, self._room)
            elif last:
                request = dispatcher.request
                request.load(self._buffer, self._view, 0, self._kept)
                getattr(connection.application, last)(self._session, request.data())
            answer.begin(dispatcher.plan(self._id, self._call)[REPLY_HEAD])
            if self._call[REPLY]:
                answer.data(result)
        except P11Error as error:
            dispatcher.refuse(error, self._id)
        except Exception as error:
            dispatcher.failed(error)
        self._back_to_frames()
        self.drop()
        self._send(connection)

    def _back_to_frames(self):
        """Point the dispatcher's request at the frame again, as it expects it."""
        self._dispatcher.request.load(self._line.frame, self._line.view, HEADER, HEADER)

    def _send(self, connection):
        size = self._dispatcher.answer.at - HEADER
        self._line.send(RPC, connection.number, size)
