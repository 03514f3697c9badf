// SPDX-License-Identifier: MIT
// Part of extmod/modos.c: os.urandom, which MicroPython 1.28 and newer have built in.

#include "py/objstr.h"

#if MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 28, 0)

static mp_obj_t mp_os_urandom(mp_obj_t count) {
    mp_int_t len = mp_obj_get_int(count);
    if (len < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_t bytes;
    vstr_init_len(&bytes, (size_t)len);
    mp_hal_get_random((size_t)len, (uint8_t *)bytes.buf);
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);

#endif
