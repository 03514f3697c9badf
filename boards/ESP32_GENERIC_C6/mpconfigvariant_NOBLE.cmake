# SPDX-License-Identifier: MIT
# Without Bluetooth: for when the firmware is too large for its partition.

list(REMOVE_ITEM SDKCONFIG_DEFAULTS boards/sdkconfig.ble)
list(APPEND MICROPY_DEF_BOARD MICROPY_PY_BLUETOOTH=0 MICROPY_BLUETOOTH_NIMBLE=0)
