// SPDX-License-Identifier: MIT
// main() of a locked build: the frozen module pkcs11.locked and nothing else. No compiler, no
// REPL, no file system; whatever ends that module resets the chip.

#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "chip.h"
#include "runtime.h"
#include "ticks.h"
#include "uart.h"

static void run(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        // With a non-empty list of names the import returns the module, not its package.
        mp_obj_t module = mp_import_name(qstr_from_str("pkcs11.locked"), mp_const_true, MP_OBJ_NEW_SMALL_INT(0));
        mp_call_function_0(mp_load_attr(module, MP_QSTR_main));
        nlr_pop();
    }
}

int main(void) {
    ticks_init();
    uart_init();
    runtime_start();
    run();
    uart_drain();
    p11_port_forget();
    chip_reset();
}

// print() and tracebacks: nothing leaves but what is written to sys.stdout.buffer.
void mp_hal_stdout_tx_strn_cooked(const char *str, size_t len) {
    (void)str;
    (void)len;
}

void mp_hal_stdout_tx_str(const char *str) {
    (void)str;
}

mp_import_stat_t mp_import_stat(const char *path) {
    (void)path;
    return MP_IMPORT_STAT_NO_EXIST;
}

mp_obj_t mp_builtin_open(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    (void)n_args;
    (void)args;
    (void)kwargs;
    mp_raise_OSError(MP_ENOENT);
}
MP_DEFINE_CONST_FUN_OBJ_KW(mp_builtin_open_obj, 1, mp_builtin_open);
