# SPDX-License-Identifier: MIT
# Which port builds this board, and for which chip family the C modules are compiled.

PORT = ast1030
RAWFLASH_CHIP = ast1030
