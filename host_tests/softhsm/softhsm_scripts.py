# SPDX-License-Identifier: MIT
"""The calls that both tokens get, as text: one call a line, one script a paragraph.

A paragraph starts with a state of softhsm_sides.STATES and a colon. Words are those of
softhsm_values; rw, rw2 and ro are sessions, `closed` is one no more, `-> name` keeps a handle.
Objects that a script names exist when it starts.
"""

GENERAL = """
off: C_Finalize null
C_GetInfo
C_GetSlotList 1 size
C_GetSlotInfo slot
C_GetTokenInfo slot
C_GetMechanismList slot size
C_GetMechanismInfo slot ECDSA
C_OpenSession slot RW
C_CloseSession 1
C_CloseAllSessions slot
C_GetSessionInfo 1
C_Login 1 USER user-pin
C_Logout 1
C_CreateObject 1 t-data
C_FindObjectsInit 1 t-empty
C_DigestInit 1 SHA256
C_SignInit 1 ECDSA 1
C_VerifyInit 1 ECDSA 1
C_GenerateRandom 1 8
C_GenerateKeyPair 1 EC_KEY_PAIR_GEN g-public g-private
C_WaitForSlotEvent 1 null

off: C_Initialize null
C_Initialize null
C_GetInfo

none: C_Finalize reserved
C_Finalize null
C_Finalize null

none: C_GetInfo
C_GetSlotList 1 all
C_GetSlotList 1 size
C_GetSlotList 1 0
C_GetSlotInfo slot
C_GetSlotInfo bad-slot
C_GetTokenInfo slot
C_GetTokenInfo bad-slot
C_GetMechanismList slot all
C_GetMechanismList slot size
C_GetMechanismList slot 1
C_GetMechanismList bad-slot all
C_GetMechanismInfo slot ECDSA
C_GetMechanismInfo slot SHA256
C_GetMechanismInfo slot SHA_1
C_GetMechanismInfo slot SHA384
C_GetMechanismInfo slot AES_CBC_PAD
C_GetMechanismInfo slot AES_CMAC
C_GetMechanismInfo slot SHA256_HMAC
C_GetMechanismInfo slot EC_KEY_PAIR_GEN
C_GetMechanismInfo slot ECDH1_DERIVE
C_GetMechanismInfo slot UNKNOWN
C_GetMechanismInfo bad-slot ECDSA
C_WaitForSlotEvent 1 null

user: C_GetFunctionStatus rw
C_CancelFunction rw
C_GetFunctionStatus closed
C_CancelFunction closed
C_GetOperationState rw all
C_SetOperationState rw block 0 0
C_SignRecoverInit rw ECDSA private
C_SignRecover rw block all
C_VerifyRecoverInit rw ECDSA public
C_VerifyRecover rw block all
C_DigestEncryptUpdate rw block all
C_DecryptDigestUpdate rw block all
C_SignEncryptUpdate rw block all
C_DecryptVerifyUpdate rw block all

user: C_DigestKey rw aes
C_WrapKey rw AES_KEY_WRAP aes readable-aes all
C_UnwrapKey rw AES_KEY_WRAP aes block t-aes-no-value
"""

SESSIONS = """
none: C_OpenSession slot RW -> a
C_OpenSession slot RO -> b
C_OpenSession slot PARALLEL
C_OpenSession slot 0
C_OpenSession bad-slot RW
C_GetSessionInfo a
C_GetSessionInfo b
C_CloseSession a
C_CloseSession a
C_GetSessionInfo a
C_GetSessionInfo b
C_CloseAllSessions bad-slot
C_CloseAllSessions slot
C_GetSessionInfo b
C_CloseAllSessions slot
C_CloseSession 0
C_GetSessionInfo 0

public: C_Login rw USER user-pin
C_GetSessionInfo rw
C_GetSessionInfo ro
C_Login rw USER user-pin
C_Login ro USER user-pin
C_Login rw SO so-pin
C_Logout ro
C_GetSessionInfo rw
C_Logout rw

public: C_Login rw USER wrong-pin
C_Login rw USER empty
C_Login rw USER long-pin
C_Login rw USER null
C_Login rw 7 user-pin
C_Login closed USER user-pin
C_Login 0 USER user-pin
C_Logout closed
C_Logout rw

public: C_Login rw SO so-pin
C_CloseSession ro
C_Login rw SO wrong-pin
C_Login rw SO so-pin
C_GetSessionInfo rw
C_Login rw SO so-pin
C_Login rw USER user-pin
C_OpenSession slot RO
C_OpenSession slot RW -> more
C_GetSessionInfo more
C_Logout more
C_GetSessionInfo rw

public: C_Login rw CONTEXT user-pin
C_Login rw USER user-pin
C_Login rw CONTEXT user-pin

user: C_CloseSession ro
C_GetSessionInfo rw
C_CloseSession rw
C_GetSessionInfo rw2
C_CloseSession rw2
C_OpenSession slot RW -> again
C_GetSessionInfo again

user: C_CloseAllSessions slot
C_OpenSession slot RO -> again
C_GetSessionInfo again
C_GetSessionInfo rw

public: C_InitPIN rw new-pin
C_SetPIN ro user-pin new-pin
C_SetPIN rw wrong-pin new-pin
C_SetPIN rw user-pin short-pin
C_SetPIN rw user-pin long-pin
C_SetPIN rw null new-pin
C_SetPIN rw user-pin null
C_SetPIN closed user-pin new-pin
C_SetPIN rw user-pin new-pin
C_Login rw USER user-pin
C_Login rw USER new-pin

user: C_InitPIN rw new-pin
C_SetPIN ro user-pin new-pin
C_SetPIN rw user-pin new-pin
C_Logout rw
C_Login rw USER new-pin

so: C_InitPIN rw new-pin
C_InitPIN rw short-pin
C_InitPIN rw long-pin
C_InitPIN rw null
C_InitPIN closed new-pin
C_SetPIN rw wrong-pin new-pin
C_SetPIN rw so-pin new-pin
C_Logout rw
C_Login rw USER new-pin
C_Logout rw
C_Login rw SO new-pin

public: C_InitToken slot so-pin label
C_CloseAllSessions slot
C_InitToken slot wrong-pin label
C_InitToken bad-slot so-pin label
C_InitToken slot null label
C_InitToken slot so-pin label
C_OpenSession slot RW -> a
C_Login a USER user-pin
C_Login a SO so-pin
C_InitPIN a user-pin
C_Logout a
C_Login a USER user-pin
"""

SCRIPTS = GENERAL + SESSIONS
