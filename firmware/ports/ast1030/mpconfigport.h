// SPDX-License-Identifier: MIT
// What MicroPython offers on this port. Compiles against MicroPython 1.25 to 1.29.

#include <alloca.h>
#include <stdint.h>

#include "mpconfigboard.h"

// clang-format off: a table

#define MICROPY_CONFIG_ROM_LEVEL            (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// Compiler, and native code from .mpy files. A locked build (LOCKED=1) runs frozen code only.
#if P11_LOCKED
#define MICROPY_ENABLE_COMPILER             (0)
#define MICROPY_PERSISTENT_CODE_LOAD        (0)
#define MICROPY_PY_BUILTINS_COMPILE         (0)
#define MICROPY_PY_BUILTINS_EVAL_EXEC       (0)
#define MICROPY_PY_BUILTINS_EXECFILE        (0)
#define MICROPY_PY_BUILTINS_INPUT           (0)
#define MICROPY_PY_BUILTINS_HELP            (0)
#define MICROPY_HELPER_REPL                 (0)
#define MICROPY_REPL_INFO                   (0)
#define MICROPY_PY_UCTYPES                  (0)
#define MICROPY_PY_MICROPYTHON_MEM_INFO     (0)
#define MICROPY_PY_OS_DUPTERM               (0)
#else
#define MICROPY_EMIT_THUMB                  (1)
#define MICROPY_EMIT_INLINE_THUMB           (0) // mpy-cross has it
#define MICROPY_PERSISTENT_CODE_LOAD        (1)
#define MICROPY_PY_BUILTINS_HELP_TEXT       p11_help_text
#endif
#define MICROPY_MAKE_POINTER_CALLABLE(p)    ((void *)((uintptr_t)(p) | 1))

// Memory, errors, numbers.
#define MICROPY_ENABLE_GC                   (1)
#define MICROPY_STACK_CHECK_MARGIN          (4096) // ECDSA verification takes 3 KiB
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_LONGINT_IMPL                (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL                  (MICROPY_FLOAT_IMPL_FLOAT)
#define MP_NEED_LOG2                        (1)
#define MICROPY_WARNINGS                    (1)

// REPL: the window of raw paste is half of this; the UART's ring holds all of it.
#define MICROPY_REPL_STDIN_BUFFER_MAX       (1024)

// Modules.
#define MICROPY_PY_SYS_PLATFORM             "ast1030"
#define MICROPY_PY_SYS_STDIO_BUFFER         (1)
#define MICROPY_PY_SELECT                   (1)
#define MICROPY_PY_ASYNCIO                  (!P11_LOCKED)
#define MICROPY_PY_HASHLIB_SHA1             (0)
#define MICROPY_PY_CRYPTOLIB                (0)
#define MICROPY_PY_DEFLATE                  (1) // binascii.crc32 needs it
#define MICROPY_PY_FRAMEBUF                 (0)
#define MICROPY_PY_CMATH                    (0)
#define MICROPY_PY_MATH_SPECIAL_FUNCTIONS   (0) // erf, gamma: the RAM is the heap's

#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS        (1)
#define MICROPY_PY_TIME_INCLUDEFILE         "modtime.inc.h"

#define MICROPY_PY_OS_INCLUDEFILE           "modos.inc.h"
#define MICROPY_PY_OS_UNAME                 (1)
#define MICROPY_PY_OS_URANDOM               (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC    (p11_random_seed())

#define MICROPY_PY_MACHINE                  (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE      "modmachine.inc.h"
#define MICROPY_PY_MACHINE_RESET            (1)
#define MICROPY_PY_MACHINE_EXTRA_GLOBALS    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&p11_rtc_type) },
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)
#define MICROPY_PY_MACHINE_MEMX             (!P11_LOCKED) // raw access to memory
#define MICROPY_PY_MACHINE_SIGNAL           (0)

// File system: littlefs 2 only (set in mpconfigboard.mk).
#define MICROPY_VFS                         (!P11_LOCKED)
#define MICROPY_READER_VFS                  (!P11_LOCKED)
#define MICROPY_ALLOC_PATH_MAX              (256)

// Types. MicroPython 1.26 and newer have the same ones built in.
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX                        (0x7fffffff)
#ifndef INT_FMT
#define INT_FMT                             "%d"
#define UINT_FMT                            "%u"
#endif

// clang-format on

extern const struct _mp_obj_type_t p11_rtc_type; // rtc.c
extern const char p11_help_text[];
uint32_t p11_random_seed(void);

#define MP_STATE_PORT MP_STATE_VM
