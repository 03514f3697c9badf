# SPDX-License-Identifier: MIT
"""From a request body to an answer body: one call of p11-kit's RPC protocol.

Promises: whatever a C_ function does, there is an answer; request bodies that carried PINs or keys
are wiped. Assumes: results come as pkcs11.api returns them. The table in rpc_calls drives it;
only what does not fit a table has a method.
"""

from struct import pack, pack_into, unpack_from

from micropython import const
from p11crypto import wipe

from .const import (
    CKR_ARGUMENTS_BAD,
    CKR_BUFFER_TOO_SMALL,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_GENERAL_ERROR,
)
from .errors import P11Error
from .rpc_answer import Answer
from .rpc_calls import (
    BYTES,
    CALLS,
    DERIVE_KEY_2,
    DERIVE_KEY_2_ID,
    FIND_OBJECTS,
    GENERATE_RANDOM,
    GET_ATTRIBUTE_VALUE,
    GET_INFO,
    GET_MECHANISM_LIST,
    GET_SLOT_INFO,
    GET_SLOT_LIST,
    GET_TOKEN_INFO,
    HANDSHAKE,
    HEAD,
    INFO,
    INIT_TOKEN,
    INIT_TOKEN_2,
    INIT_TOKEN_2_ID,
    INITIALIZE,
    NAME,
    NUMBERS,
    REPLY,
    REQUEST,
    SLOT_INFO,
    SPECIAL,
    STYLE,
    TAIL,
    TOKEN_INFO,
    UNKNOWN_TO_0,
)
from .rpc_line import HEADER, LOG, MORE, PART, RPC
from .rpc_request import Request

try:
    from struct import error as StructError
except ImportError:  # MicroPython raises ValueError
    StructError = ValueError

ROOM = const(8192)  # bytes of the longest answer body

_SHORTEST = const(8)  # call id and an empty signature
_RANDOM_MAX = const(0x100000)
_RANDOM_PIECE = const(1024)
_LABEL = const(32)
_LOG_ROOM = const(200)

# columns of a plan
CALL = const(0)  # row of CALLS
REQUEST_HEAD = const(1)  # call id and signature as they begin the request
ARGUMENTS_HEAD = const(2)
ARGUMENTS_TAIL = const(3)
HOW = const(4)  # style
REPLY_HEAD = const(5)  # the same of the answer
REPLY_FORM = const(6)  # struct format of an answer of numbers only
REPLY_SIZE = const(7)
FUNCTION = const(8)  # name of the C_ function

_WIDTHS = {GET_INFO: INFO, GET_SLOT_INFO: SLOT_INFO, GET_TOKEN_INFO: TOKEN_INFO}


def find(buffer, at):
    """Return the row of the call id at buffer[at:], or raise CKR_FUNCTION_NOT_SUPPORTED."""
    if not buffer[at] | buffer[at + 1] | buffer[at + 2]:
        call_id = buffer[at + 3]
        if call_id < len(CALLS):
            call = CALLS[call_id]
            if call is not None:
                return call
        elif call_id == INIT_TOKEN_2_ID:
            return INIT_TOKEN_2
        elif call_id == DERIVE_KEY_2_ID:
            return DERIVE_KEY_2
    raise P11Error(CKR_FUNCTION_NOT_SUPPORTED)


class Dispatcher:
    """Executes calls. Attributes: request (load it first), answer (in line.out)."""

    def __init__(self, line):
        self.line = line
        self.request = Request()
        self.request.load(line.frame, line.view, HEADER, HEADER)
        self.answer = Answer(line.out, line.out_view, HEADER, HEADER + ROOM)
        self._plans = [None] * (DERIVE_KEY_2_ID + 1)  # made when first called for

    def plan(self, call_id, call):
        """Return all that a call needs at run time, by the columns below CALL."""
        reply = call[REPLY]
        signature = call[REQUEST]
        reply_head = pack(">II", call_id, len(reply)) + reply
        self._plans[call_id] = plan = (
            call,
            pack(">II", call_id, len(signature)) + signature,
            call[HEAD],
            call[TAIL],
            call[STYLE],
            reply_head,
            ">%ds%s" % (len(reply_head), "Q" * len(reply)),
            len(reply_head) + 8 * len(reply),
            call[NAME],
        )
        return plan

    def execute(self, connection):
        """Do the call in `request` (frame or collected body) and send the answer."""
        answer = self.answer
        request = self.request
        buffer = request.buffer
        start = request.at
        call_id = buffer[start + 3]
        kind = RPC
        try:
            plan = self._plans[call_id] if call_id <= DERIVE_KEY_2_ID else None
            if plan is None:
                plan = self.plan(call_id, find(buffer, start))
            head = plan[REQUEST_HEAD]
            at = start + len(head)
            if request.view[start:at] != head:
                self._mismatch(request)
            if plan[ARGUMENTS_TAIL]:
                request.at = at
                request.new = connection.new
                arguments = request.arguments(plan[ARGUMENTS_HEAD], plan[ARGUMENTS_TAIL])
                if request.narrow:
                    request.narrow = False
                    connection.wide = 4
            else:
                arguments = unpack_from(plan[ARGUMENTS_HEAD], buffer, at)
                if at + 8 * len(arguments) > request.end:
                    raise P11Error(CKR_DEVICE_ERROR)
            style = plan[HOW]
            if style == SPECIAL:
                kind = self._special(call_id, plan, connection, arguments)
            else:
                result = getattr(connection.application, plan[FUNCTION])(*arguments)
                if style == NUMBERS:
                    answer.numbers(plan[REPLY_FORM], plan[REPLY_SIZE], plan[REPLY_HEAD], result)
                elif style == BYTES:
                    answer.begin(plan[REPLY_HEAD])
                    answer.data(result)
                else:  # SECRETS
                    wipe(request.view[start : request.end])
                    answer.numbers(plan[REPLY_FORM], plan[REPLY_SIZE], plan[REPLY_HEAD], result)
        except P11Error as error:
            self.refuse(error, call_id)
            wipe(request.view[start : request.end])
        except Exception as error:
            self.failed(error)
            wipe(request.view[start : request.end])
        self.line.send(kind, connection.number, answer.at - HEADER)

    def _mismatch(self, request):
        """Raise what is wrong with a body that does not begin as its call does."""
        buffer = request.buffer
        at = request.at
        if request.end - at >= _SHORTEST and buffer[at] | buffer[at + 1] | buffer[at + 2]:
            raise P11Error(CKR_FUNCTION_NOT_SUPPORTED)
        raise P11Error(CKR_DEVICE_ERROR)

    def refuse(self, error, call_id):
        """Make the answer to a call that raised P11Error: a needed length, or ERROR."""
        answer = self.answer
        if error.ckr == CKR_BUFFER_TOO_SMALL and error.length is not None:
            plan = self._plans[call_id]
            if plan[HOW] == BYTES:
                answer.begin(plan[REPLY_HEAD])
                answer.size(error.length)
                return
        answer.error(error.ckr)

    def failed(self, error):
        """Make the answer to a call that failed in a way of its own; tell the host's log."""
        if isinstance(error, (IndexError, StructError)):  # the body ended early
            self.answer.error(CKR_DEVICE_ERROR)
            return
        self.log(type(error).__name__ + " in a call")
        self.answer.error(CKR_DEVICE_MEMORY if type(error) is MemoryError else CKR_GENERAL_ERROR)

    def log(self, text):
        """Send a line for the host's log; the answer must not have been begun."""
        text = bytes(text, "utf-8")[:_LOG_ROOM]
        line = self.line
        line.out_view[HEADER : HEADER + len(text)][:] = text
        line.send(LOG, 0, len(text))

    # --- calls that do not fit the table -------------------------------------------------------

    def _special(self, call_id, plan, connection, arguments):
        """Do a call that has a method of its own; return the type of the frame to send."""
        answer = self.answer
        application = connection.application
        if call_id == GET_ATTRIBUTE_VALUE:
            self._attributes(plan, connection, arguments)
            return RPC
        if call_id == GENERATE_RANDOM:
            return self._random(plan, connection, arguments)
        if call_id == DERIVE_KEY_2_ID:
            self._derive(plan, application, arguments)
            return RPC
        if call_id == INITIALIZE:
            if arguments[0] != HANDSHAKE:
                raise P11Error(CKR_GENERAL_ERROR)
            application.C_Initialize()
            answer.begin(plan[REPLY_HEAD])
        elif call_id == INIT_TOKEN or call_id == INIT_TOKEN_2_ID:
            label = bytes(arguments[2])[:_LABEL].rstrip(b" ")
            application.C_InitToken(arguments[0], arguments[1], label)
            wipe(self.request.view[: self.request.end])
            answer.begin(plan[REPLY_HEAD])
        elif call_id == FIND_OBJECTS:
            handles = application.C_FindObjects(*arguments)
            answer.begin(plan[REPLY_HEAD])
            answer.ulongs(handles)
        elif call_id == GET_SLOT_LIST:
            self._list(plan, application.C_GetSlotList(arguments[0] != 0), arguments[1])
        elif call_id == GET_MECHANISM_LIST:
            numbers = application.C_GetMechanismList(arguments[0])
            if not connection.offered:
                numbers = [number for number in numbers if number not in UNKNOWN_TO_0]
            self._list(plan, numbers, arguments[1])
        else:
            values = getattr(application, plan[FUNCTION])(*arguments)
            answer.begin(plan[REPLY_HEAD])
            answer.fields(values, _WIDTHS[call_id])
        return RPC

    def _list(self, plan, values, room):
        self.answer.begin(plan[REPLY_HEAD])
        if room < len(values):
            self.answer.size(len(values))
        else:
            self.answer.ulongs(values)

    def _attributes(self, plan, connection, arguments):
        session, handle, asked = arguments
        problem = 0
        try:
            values = connection.application.C_GetAttributeValue(session, handle, asked[::2])
        except P11Error as error:
            values = error.values
            if values is None:
                raise
            problem = error.ckr
        self.answer.begin(plan[REPLY_HEAD])
        connection.wide = self.answer.attributes(asked, values, connection.wide, problem)

    def _derive(self, plan, application, arguments):
        ckr = 0
        handle = 0
        try:
            handle = application.C_DeriveKey(*arguments)
        except P11Error as error:
            ckr = error.ckr
        answer = self.answer
        answer.begin(plan[REPLY_HEAD])
        answer.ulong(ckr)
        answer.buffer[answer.at] = 0  # the mechanism's parameter is as it was
        answer.at += 1
        answer.ulong(handle)

    def _random(self, plan, connection, arguments):
        """Send all of a random answer but its last frame; return the type of that one."""
        session, left = arguments
        if left > _RANDOM_MAX:
            raise P11Error(CKR_ARGUMENTS_BAD)
        application = connection.application
        if not left:
            application.C_GetSessionInfo(session)  # nothing to do, but in a session that exists
        answer = self.answer
        answer.begin(plan[REPLY_HEAD])
        pack_into(">BI", answer.buffer, answer.at, 1, left)
        at = answer.at + 5
        kind = RPC
        while True:
            piece = min(left, _RANDOM_PIECE)
            if piece:
                application.C_GenerateRandom(session, answer.view[at : at + piece])
            left -= piece
            answer.at = at + piece
            if not left:
                return kind
            self.line.send(kind | MORE, connection.number, answer.at - HEADER)
            kind = RPC | PART
            at = HEADER
