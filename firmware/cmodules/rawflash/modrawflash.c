// SPDX-License-Identifier: MIT
// MicroPython binding of rawflash.
//   rawflash.info() -> (JEDEC id, chip bytes, erase unit, page)
//   rawflash.Region(name): size(), erase_size(), page(), unit(), base(), writable(),
//                          read(offset, buf), program(offset, buf), erase(offset, length)
// read returns 0, 1 when some unit was corrected, 2 when one is lost (it reads 0x5a).
// OSError: EINVAL bounds or alignment, EROFS, EIO verification, ETIMEDOUT, ENODEV no chip.
#include "py/mperrno.h"
#include "py/runtime.h"
#include "rawflash.h"

typedef struct {
    mp_obj_base_t base;
    const rawflash_region_t *region;
} region_obj_t;

static void check(int status) {
    static const uint8_t numbers[] = {
        [RAWFLASH_RANGE] = MP_EINVAL,
        [RAWFLASH_READ_ONLY] = MP_EROFS,
        [RAWFLASH_VERIFY] = MP_EIO,
        [RAWFLASH_TIMEOUT] = MP_ETIMEDOUT,
        [RAWFLASH_NO_CHIP] = MP_ENODEV,
    };
    if (status != RAWFLASH_OK) {
        mp_raise_OSError(numbers[status]);
    }
}

static const rawflash_region_t *region_of(mp_obj_t self) {
    return ((region_obj_t *)MP_OBJ_TO_PTR(self))->region;
}

static size_t size_arg(mp_obj_t object) {
    mp_int_t value = mp_obj_get_int(object);
    if (value < 0) {
        check(RAWFLASH_RANGE);
    }
    return (size_t)value;
}

static mp_obj_t make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
    const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    const rawflash_region_t *region = rawflash_region(mp_obj_str_get_str(args[0]));
    if (region == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("region"));
    }
    region_obj_t *self = mp_obj_malloc(region_obj_t, type);
    self->region = region;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t region_size(mp_obj_t self) {
    return mp_obj_new_int_from_uint(region_of(self)->size);
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_size_obj, region_size);

static mp_obj_t region_base(mp_obj_t self) {
    return mp_obj_new_int_from_uint(region_of(self)->base);
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_base_obj, region_base);

static mp_obj_t region_erase_size(mp_obj_t self) {
    (void)self;
    rawflash_chip_t chip;
    check(rawflash_info(&chip));
    return mp_obj_new_int_from_uint(chip.erase);
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_erase_size_obj, region_erase_size);

static mp_obj_t region_page(mp_obj_t self) {
    (void)self;
    rawflash_chip_t chip;
    check(rawflash_info(&chip));
    return mp_obj_new_int_from_uint(chip.page);
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_page_obj, region_page);

static mp_obj_t region_unit(mp_obj_t self) {
    (void)self;
    rawflash_chip_t chip;
    check(rawflash_info(&chip));
    return mp_obj_new_int_from_uint(chip.unit);
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_unit_obj, region_unit);

static mp_obj_t region_writable(mp_obj_t self) {
    return mp_obj_new_bool(rawflash_writable(region_of(self)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(region_writable_obj, region_writable);

static mp_obj_t region_read(mp_obj_t self, mp_obj_t offset, mp_obj_t buf) {
    mp_buffer_info_t out;
    mp_get_buffer_raise(buf, &out, MP_BUFFER_WRITE);
    int status = rawflash_read(region_of(self), size_arg(offset), out.buf, out.len);
    if (status > RAWFLASH_FAULTED) {
        check(status);
    }
    return MP_OBJ_NEW_SMALL_INT(status);
}
static MP_DEFINE_CONST_FUN_OBJ_3(region_read_obj, region_read);

static mp_obj_t region_program(mp_obj_t self, mp_obj_t offset, mp_obj_t buf) {
    mp_buffer_info_t in;
    mp_get_buffer_raise(buf, &in, MP_BUFFER_READ);
    check(rawflash_program(region_of(self), size_arg(offset), in.buf, in.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(region_program_obj, region_program);

static mp_obj_t region_erase(mp_obj_t self, mp_obj_t offset, mp_obj_t length) {
    check(rawflash_erase(region_of(self), size_arg(offset), size_arg(length)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(region_erase_obj, region_erase);

static const mp_rom_map_elem_t region_table[] = {
    { MP_ROM_QSTR(MP_QSTR_size), MP_ROM_PTR(&region_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_erase_size), MP_ROM_PTR(&region_erase_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_page), MP_ROM_PTR(&region_page_obj) },
    { MP_ROM_QSTR(MP_QSTR_unit), MP_ROM_PTR(&region_unit_obj) },
    { MP_ROM_QSTR(MP_QSTR_base), MP_ROM_PTR(&region_base_obj) },
    { MP_ROM_QSTR(MP_QSTR_writable), MP_ROM_PTR(&region_writable_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&region_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_program), MP_ROM_PTR(&region_program_obj) },
    { MP_ROM_QSTR(MP_QSTR_erase), MP_ROM_PTR(&region_erase_obj) },
};
static MP_DEFINE_CONST_DICT(region_locals, region_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    region_type,
    MP_QSTR_Region,
    MP_TYPE_FLAG_NONE,
    make_new, make_new,
    locals_dict, &region_locals);

static mp_obj_t info(void) {
    rawflash_chip_t chip;
    check(rawflash_info(&chip));
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(chip.id),
        mp_obj_new_int_from_uint(chip.size),
        mp_obj_new_int_from_uint(chip.erase),
        mp_obj_new_int_from_uint(chip.page),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(info_obj, info);

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_rawflash) },
    { MP_ROM_QSTR(MP_QSTR_Region), MP_ROM_PTR(&region_type) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&info_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t rawflash_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};

MP_REGISTER_MODULE(MP_QSTR_rawflash, rawflash_module);
