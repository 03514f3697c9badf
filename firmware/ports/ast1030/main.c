// SPDX-License-Identifier: MIT
// Boot, REPL, soft reset.

#include <string.h>

#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

#include "chip.h"
#include "runtime.h"
#include "ticks.h"
#include "uart.h"

extern uint8_t _heap_start, _heap_end;

const char p11_help_text[] =
    "A PKCS#11 token on a microcontroller (" MICROPY_HW_BOARD_NAME ").\n"
    "\n"
    "  import pkcs11             the token: pkcs11.C_Initialize(), C_OpenSession(), ...\n"
    "  import pal                its storage; pal holds bytes, pkcs11 their meaning\n"
    "  help('modules')           what else is built in\n"
    "\n"
    "Ctrl-C stops a program, Ctrl-D restarts Python, Ctrl-E pastes.\n";

// boot.py always, main.py only for a user (a tool in raw REPL mode wants the board quiet).
// False: one of them asked for a soft reset.
static bool run_start_files(void) {
    pyexec_frozen_module("_boot.py", false);
    if (pyexec_file_if_exists("boot.py") & PYEXEC_FORCED_EXIT) {
        return false;
    }
    return pyexec_mode_kind != PYEXEC_MODE_FRIENDLY_REPL || !(pyexec_file_if_exists("main.py") & PYEXEC_FORCED_EXIT);
}

static void run_repl(void) {
    int ended;
    do {
        ended =
            pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
    } while (!ended);
}

int main(void) {
    ticks_init();
    uart_init();
    for (;;) {
        runtime_start();
        readline_init0();
        // Where `mpremote mip` installs.
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
        if (run_start_files()) {
            run_repl();
        }
        mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
        gc_sweep_all();
        if (p11_tls_forget != NULL) {
            p11_tls_forget();
        }
        mp_deinit();
        p11_port_forget();
        // Whatever secret a program left in its buffers goes as well.
        memset(&_heap_start, 0, (size_t)(&_heap_end - &_heap_start));
    }
}
