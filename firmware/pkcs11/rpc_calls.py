# SPDX-License-Identifier: MIT
"""The call table of p11-kit's RPC protocol, and the other tables its coding needs.

Promises: plain constants, so that a frozen build keeps them in flash; row n of CALLS is call id n,
None where the board answers CKR_FUNCTION_NOT_SUPPORTED. docs/PROTOCOL.md section 8 is this table
in words. Signatures are p11-kit's: u CK_ULONG, y byte, s/z text, M mechanism, a array of, f room
for, A attribute; HEAD and TAIL say the same to our decoder (a test holds them together).
"""

from micropython import const

# columns of CALLS
NAME = const(0)
REQUEST = const(1)  # signature of the arguments
HEAD = const(2)  # struct format of the CK_ULONGs the request begins with
TAIL = const(3)  # what follows them, one letter each, below
REPLY = const(4)  # signature of the results
STYLE = const(5)  # how the results are made, below

# letters of TAIL
ULONG = const(0x75)  # u
BYTE = const(0x79)  # y
DATA = const(0x62)  # b: ay
ROOM = const(0x66)  # f: fy, fu
TEMPLATE = const(0x41)  # A: aA
MECHANISM = const(0x4D)  # M
TYPES = const(0x74)  # t: fA
TEXT = const(0x73)  # s: s, z

# styles
NUMBERS = const(0)  # nothing, one number or a tuple of them
BYTES = const(1)  # ay; the room in the request limits it
SPECIAL = const(2)  # a method of its own
SECRETS = const(3)  # as NUMBERS; the request carries a PIN or a key and is wiped

CALLS = (
    None,
    ("C_Initialize", b"ayyay", ">", b"byb", b"", SPECIAL),
    ("C_Finalize", b"", ">", b"", b"", NUMBERS),
    ("C_GetInfo", b"", ">", b"", b"vsusv", SPECIAL),
    ("C_GetSlotList", b"yfu", ">", b"yf", b"au", SPECIAL),
    ("C_GetSlotInfo", b"u", ">Q", b"", b"ssuvv", SPECIAL),
    ("C_GetTokenInfo", b"u", ">Q", b"", b"ssssuuuuuuuuuuuvvs", SPECIAL),
    ("C_GetMechanismList", b"ufu", ">Q", b"f", b"au", SPECIAL),
    ("C_GetMechanismInfo", b"uu", ">QQ", b"", b"uuu", NUMBERS),
    ("C_InitToken", b"uayz", ">Q", b"bs", b"", SPECIAL),
    ("C_OpenSession", b"uu", ">QQ", b"", b"u", NUMBERS),
    ("C_CloseSession", b"u", ">Q", b"", b"", NUMBERS),
    ("C_CloseAllSessions", b"u", ">Q", b"", b"", NUMBERS),
    ("C_GetSessionInfo", b"u", ">Q", b"", b"uuuu", NUMBERS),
    ("C_InitPIN", b"uay", ">Q", b"b", b"", SECRETS),
    ("C_SetPIN", b"uayay", ">Q", b"bb", b"", SECRETS),
    None,  # GetOperationState
    None,  # SetOperationState
    ("C_Login", b"uuay", ">QQ", b"b", b"", SECRETS),
    ("C_Logout", b"u", ">Q", b"", b"", NUMBERS),
    ("C_CreateObject", b"uaA", ">Q", b"A", b"u", SECRETS),
    ("C_CopyObject", b"uuaA", ">QQ", b"A", b"u", NUMBERS),
    ("C_DestroyObject", b"uu", ">QQ", b"", b"", NUMBERS),
    ("C_GetObjectSize", b"uu", ">QQ", b"", b"u", NUMBERS),
    ("C_GetAttributeValue", b"uufA", ">QQ", b"t", b"aAu", SPECIAL),
    ("C_SetAttributeValue", b"uuaA", ">QQ", b"A", b"", NUMBERS),
    ("C_FindObjectsInit", b"uaA", ">Q", b"A", b"", NUMBERS),
    ("C_FindObjects", b"ufu", ">Q", b"f", b"au", SPECIAL),
    ("C_FindObjectsFinal", b"u", ">Q", b"", b"", NUMBERS),
    ("C_EncryptInit", b"uMu", ">Q", b"Mu", b"", NUMBERS),
    ("C_Encrypt", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_EncryptUpdate", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_EncryptFinal", b"ufy", ">Q", b"f", b"ay", BYTES),
    ("C_DecryptInit", b"uMu", ">Q", b"Mu", b"", NUMBERS),
    ("C_Decrypt", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_DecryptUpdate", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_DecryptFinal", b"ufy", ">Q", b"f", b"ay", BYTES),
    ("C_DigestInit", b"uM", ">Q", b"M", b"", NUMBERS),
    ("C_Digest", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_DigestUpdate", b"uay", ">Q", b"b", b"", NUMBERS),
    None,  # DigestKey
    ("C_DigestFinal", b"ufy", ">Q", b"f", b"ay", BYTES),
    ("C_SignInit", b"uMu", ">Q", b"Mu", b"", NUMBERS),
    ("C_Sign", b"uayfy", ">Q", b"bf", b"ay", BYTES),
    ("C_SignUpdate", b"uay", ">Q", b"b", b"", NUMBERS),
    ("C_SignFinal", b"ufy", ">Q", b"f", b"ay", BYTES),
    None,  # SignRecoverInit
    None,  # SignRecover
    ("C_VerifyInit", b"uMu", ">Q", b"Mu", b"", NUMBERS),
    ("C_Verify", b"uayay", ">Q", b"bb", b"", NUMBERS),
    ("C_VerifyUpdate", b"uay", ">Q", b"b", b"", NUMBERS),
    ("C_VerifyFinal", b"uay", ">Q", b"b", b"", NUMBERS),
    None,  # VerifyRecoverInit
    None,  # VerifyRecover
    None,  # DigestEncryptUpdate
    None,  # DecryptDigestUpdate
    None,  # SignEncryptUpdate
    None,  # DecryptVerifyUpdate
    ("C_GenerateKey", b"uMaA", ">Q", b"MA", b"u", NUMBERS),
    ("C_GenerateKeyPair", b"uMaAaA", ">Q", b"MAA", b"uu", NUMBERS),
    None,  # WrapKey
    None,  # UnwrapKey
    ("C_DeriveKey", b"uMuaA", ">Q", b"MuA", b"u", NUMBERS),
    ("C_SeedRandom", b"uay", ">Q", b"b", b"", NUMBERS),
    ("C_GenerateRandom", b"ufy", ">Q", b"f", b"ay", SPECIAL),
    ("C_WaitForSlotEvent", b"u", ">Q", b"", b"u", NUMBERS),
)

# Calls with high ids, found with one look-up more: 88 and 89 of p11-kit 0.25.
INIT_TOKEN_2 = ("C_InitToken", b"uays", ">Q", b"bs", b"", SPECIAL)
DERIVE_KEY_2 = ("C_DeriveKey", b"uMuaA", ">Q", b"MuA", b"uPu", SPECIAL)

# ids that are treated apart
INITIALIZE = const(1)
FINALIZE = const(2)
GET_INFO = const(3)
GET_SLOT_LIST = const(4)
GET_SLOT_INFO = const(5)
GET_TOKEN_INFO = const(6)
GET_MECHANISM_LIST = const(7)
INIT_TOKEN = const(9)
GET_ATTRIBUTE_VALUE = const(24)
FIND_OBJECTS = const(27)
GENERATE_RANDOM = const(64)
INIT_TOKEN_2_ID = const(88)
DERIVE_KEY_2_ID = const(89)

HANDSHAKE = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"

# Calls whose data may be longer than the receive buffer: the call that takes a piece of it, and
# the one that ends it, if the call is a whole operation.
PIECES = {
    38: ("C_DigestUpdate", "C_DigestFinal"),
    39: ("C_DigestUpdate", None),
    43: ("C_SignUpdate", "C_SignFinal"),
    44: ("C_SignUpdate", None),
    49: ("C_VerifyUpdate", "C_VerifyFinal"),
    50: ("C_VerifyUpdate", None),
}

# Field widths of the structures; 0 a CK_ULONG, -1 a version.
INFO = (-1, 32, 0, 32, -1)
SLOT_INFO = (64, 32, 0, -1, -1)
TOKEN_INFO = (32, 32, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 16)

# How p11-kit codes an attribute's value: 1 one byte, 8 a u64, 2 attributes inside, 3 a list of
# mechanisms; every other attribute is a byte string in the caller's memory layout.
_BYTE = (0x1, 0x2, 0x86, 0x103, 0x104, 0x105, 0x106, 0x107, 0x108, 0x109, 0x10A, 0x10B, 0x10C) + (
    0x162,
    0x163,
    0x164,
    0x165,
    0x170,
    0x171,
    0x200,
    0x202,
    0x210,
    0x301,
    0x302,
    0x405,
)
_ULONG = (0x0, 0x80, 0x87, 0x88, 0x100, 0x121, 0x133, 0x134, 0x160, 0x161, 0x166, 0x201, 0x300) + (
    0x400,
    0x401,
    0x402,
    0x403,
    0x404,
    0x406,
    0x500,
)
CODING = {}
for _type in _BYTE:
    CODING[_type] = 1
for _type in _ULONG:
    CODING[_type] = 8
for _type in (0x40000211, 0x40000212, 0x40000213):
    CODING[_type] = 2
CODING[0x40000600] = 3

DESTROYABLE = const(0x172)  # a truth value p11-kit does not know, hence a byte string of one byte

# Mechanisms with a parameter that the board knows: 1 a byte string, 2 that of ECDH.
PARAMETER = {0x1050: 2, 0x1082: 1, 0x1085: 1}

# What p11-kit 0.24 cannot encode: hidden from clients that offer version 0.
UNKNOWN_TO_0 = (0x255, 0x1043, 0x1044, 0x1045, 0x1046, 0x1050, 0x1082, 0x1085, 0x108A)
