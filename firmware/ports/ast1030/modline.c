// SPDX-License-Identifier: MIT
// Module _line: the serial line as bytes with a time limit, for pkcs11.tunnel. (sys.stdin.buffer
// waits until a buffer is full.)

#include "py/mphal.h"
#include "py/runtime.h"

#include "ticks.h"
#include "uart.h"

// read(buf, milliseconds): what has arrived, waiting so long for the first byte. 0: nothing came.
static mp_obj_t line_read(mp_obj_t buf_in, mp_obj_t timeout) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, MP_BUFFER_WRITE);
    uint64_t deadline = ticks_us() + (uint64_t)mp_obj_get_int(timeout) * 1000;
    mp_event_handle_nowait();
    while (!uart_readable() && ticks_us() < deadline) {
        ticks_wait(deadline);
        mp_event_handle_nowait();
    }
    uint8_t *out = buf.buf;
    size_t got = 0;
    for (int c; got < buf.len && (c = uart_get()) >= 0; ++got) {
        out[got] = (uint8_t)c;
    }
    return MP_OBJ_NEW_SMALL_INT(got);
}
static MP_DEFINE_CONST_FUN_OBJ_2(line_read_obj, line_read);

static const mp_rom_map_elem_t line_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__line) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&line_read_obj) },
};
static MP_DEFINE_CONST_DICT(line_globals, line_globals_table);

const mp_obj_module_t p11_module_line = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&line_globals,
};
MP_REGISTER_MODULE(MP_QSTR__line, p11_module_line);
