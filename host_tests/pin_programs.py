# SPDX-License-Identifier: MIT
"""Programs for an emulated board that is cut while PINs are set and compared (cut_board.Chip)."""

import ast

from cut_board import owner

SO_PIN = "12345678"

# Prints "compare N" whenever a PIN is compared: N flash writes had been made before.
WATCH = """
import time, p11crypto
from pkcs11 import application, board_token, keyring
from pkcs11.const import *
from pkcs11.errors import P11Error
from pal.flash_ast1030 import FlashAST1030 as Flash
class Watch:
    def __getattr__(self, name):
        return getattr(p11crypto, name)
    def master_unwrap(self, *args):
        print("compare", writes)
        return p11crypto.master_unwrap(*args)
keyring.p11crypto = Watch()
writes = 0
program, erase = Flash.program, Flash.erase
def counted_program(self, offset, buf):
    global writes
    writes += (offset + len(buf) - 1 >> 8) - (offset >> 8) + 1
    program(self, offset, buf)
def counted_erase(self, sector):
    global writes
    writes += 1
    erase(self, sector)
Flash.program, Flash.erase = counted_program, counted_erase
app = application()
token = board_token()
def start():
    app.C_Initialize()
    return token.keyring
def session(user=None, pin=b""):
    s = app.C_OpenSession(1, 6)
    if user is not None:
        app.C_Login(s, user, bytearray(pin))
    return s
def attempt(user, pin):
    time.sleep(31)
    s = session()
    try:
        app.C_Login(s, user, bytearray(pin))
        app.C_Logout(s)
        return 0
    except P11Error as error:
        return error.ckr
    finally:
        app.C_CloseSession(s)
"""

KEYGEN = """
s = session(CKU_USER, b"1111")
app.C_GenerateKeyPair(s, CKM_EC_KEY_PAIR_GEN,
    [(CKA_TOKEN, True), (CKA_LABEL, b"k"), (CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107"))],
    [(CKA_TOKEN, True), (CKA_LABEL, b"k")])
"""

# First what the records say, then which of PINS opens what, then what the user finds.
LOOK = (
    WATCH
    + """
ring = start()
records = [ring.initialized, token.pal.fails(0), token.pal.fails(1)]
opens = [one for one in %r if not attempt(*one)]
found = []
if opens and opens[0][0] == CKU_USER:
    s = session(*opens[0])
    app.C_FindObjectsInit(s, [])
    for h in app.C_FindObjects(s, 20):
        kind, = app.C_GetAttributeValue(s, h, [CKA_CLASS])
        if kind == CKO_PRIVATE_KEY:
            app.C_SignInit(s, CKM_ECDSA, h)
            name = app.C_Sign(s, bytes(range(32)))
        else:
            name = app.C_GetAttributeValue(s, h, [CKA_EC_POINT])[0][2:]
        found.append((kind, "".join(["%%02x" %% b for b in name])))
print("seen", repr((records, opens, found)))
"""
    % [(1, b"0000"), (1, b"1111"), (1, b"2468"), (0, SO_PIN.encode()), (0, b"2468")]
)


class State:
    """What LOOK printed. fails: (user, SO) as recorded at power-on; the rest compares."""

    def __init__(self, printed):
        records, self.opens, found = ast.literal_eval(printed.split("seen ", 1)[1])
        self.initialized, *self.fails = records
        points = [value for kind, value in found if kind == 2]
        self.keys = [owner(value, points) if kind == 3 else value for kind, value in found]

    def __eq__(self, other):
        return vars(self) | {"fails": 0} == vars(other) | {"fails": 0}


def comparisons(printed, writes=None):
    """How many PINs were compared while the power was there: it went after so many writes."""
    at = [int(line.split()[1]) for line in printed.splitlines() if line.startswith("compare ")]
    return len([each for each in at if writes is None or each <= writes])
