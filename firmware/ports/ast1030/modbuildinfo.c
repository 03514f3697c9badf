// SPDX-License-Identifier: MIT
// Module buildinfo: which firmware this is. The only object that differs between two versions.

#include "py/objstr.h"
#include "py/runtime.h"

static const MP_DEFINE_STR_OBJ(version_obj, P11_VERSION);
static const MP_DEFINE_STR_OBJ(board_obj, MICROPY_HW_BOARD_NAME);

static const mp_rom_map_elem_t buildinfo_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_buildinfo) },
    { MP_ROM_QSTR(MP_QSTR_VERSION), MP_ROM_PTR(&version_obj) },
    { MP_ROM_QSTR(MP_QSTR_BOARD), MP_ROM_PTR(&board_obj) },
    { MP_ROM_QSTR(MP_QSTR_LOCKED), MP_ROM_INT(P11_LOCKED) },
};
static MP_DEFINE_CONST_DICT(buildinfo_globals, buildinfo_globals_table);

const mp_obj_module_t p11_module_buildinfo = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&buildinfo_globals,
};
MP_REGISTER_MODULE(MP_QSTR_buildinfo, p11_module_buildinfo);
