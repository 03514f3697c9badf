# SPDX-License-Identifier: MIT
"""Factory reset for a host: back to the state of a blank key region.

Promises: nothing is touched unless the request says so; when it answers `done`, no object, PIN or
key is left, and a reset that power cuts short is finished by the next mount. Needs no PIN: who
holds the line may destroy, but learns nothing. Refused while a session of the board's program is
open. CKR_TOKEN_WRITE_PROTECTED: done, but for a part of the flash that cannot be erased any more.
It is also the way out of a region that is refused as not recognised.
"""

from . import board_token
from .api import code_of
from .const import CKR_SESSION_EXISTS
from .errors import P11Error


def factory_reset(request):
    """Say what a reset would destroy; with "yes": destroy it.

    Returns {"done", "recognised", "objects"}; objects is None where the region is not recognised.
    """
    token = board_token()
    if token.sessions:
        raise P11Error(CKR_SESSION_EXISTS)
    pal = token.pal
    answer = {"done": False, "recognised": True, "objects": None}
    try:
        token.mount()
        answer["objects"] = len(token.ids())
    except P11Error:
        # The store may be sound and a PIN record of it not.
        answer["recognised"] = pal.mounted
    if request.get("yes") is not True:
        return answer
    try:
        if answer["recognised"]:
            pal.store.factory_reset()
        else:
            pal.store.format()
    except (pal.StoreError, OSError) as error:
        raise P11Error(code_of(error))
    finally:
        token.reborn()
    answer["done"] = True
    return answer
