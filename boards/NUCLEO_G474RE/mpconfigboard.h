// SPDX-License-Identifier: MIT
// Upstream's NUCLEO_G474RE, and the seams of the token.
#include "ports/stm32/boards/NUCLEO_G474RE/mpconfigboard.h"
#include "stm32_port.h"

// Upstream switches these off to fit into its smaller flash region; the token needs them.
#undef MICROPY_PY_BINASCII
#undef MICROPY_PY_DEFLATE
#undef MICROPY_PY_JSON

// And does not need these.
#undef MICROPY_HW_CAN1_TX
#undef MICROPY_HW_CAN1_RX
#undef MICROPY_HW_CAN2_TX
#undef MICROPY_HW_CAN2_RX
#undef MICROPY_HW_ENABLE_DAC
#define MICROPY_HW_ENABLE_DAC (0)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (0)
#undef MICROPY_PY_CMATH
#define MICROPY_PY_CMATH (0)
#undef MICROPY_PY_FRAMEBUF
#define MICROPY_PY_FRAMEBUF (0)
#undef MICROPY_PY_RE
#define MICROPY_PY_RE (0)

// Nor native code, and the peripherals' addresses that go with it: 25 KB, which RSA wants.
#define MICROPY_EMIT_THUMB (0)
#define MICROPY_EMIT_INLINE_THUMB (0)
#define MICROPY_PY_STM (0)
#define MICROPY_PY_UCTYPES (0)
