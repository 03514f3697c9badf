# SPDX-License-Identifier: MIT
"""Print what the token is. Run with: mpremote connect PORT run token_info.py"""

import pkcs11 as p11

p11.C_Initialize()
for slot in p11.C_GetSlotList():
    info = p11.C_GetTokenInfo(slot)
    print("slot         ", slot)
    print("label        ", info.label.decode() or "(none)")
    print("manufacturer ", info.manufacturerID.decode())
    print("model        ", info.model.decode())
    print("serial       ", info.serialNumber.decode())
    print("flags         0x%x" % info.flags)
    print("free          %d of %d bytes" % (info.ulFreePublicMemory, info.ulTotalPublicMemory))
    print("mechanisms   ", " ".join(["0x%x" % number for number in p11.C_GetMechanismList(slot)]))
p11.C_Finalize()
