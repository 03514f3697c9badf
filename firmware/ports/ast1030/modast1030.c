// SPDX-License-Identifier: MIT
// Module ast1030: Flash(region), a block device over a region of the SPI flash for a file system.
//
// In C rather than in Python so that it works while the heap is locked: files that a program left
// open are closed, and their last bytes written, by the garbage collector at a soft reset.

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#include "rawflash.h"

typedef struct {
    mp_obj_base_t base;
    const rawflash_region_t *region;
    uint32_t block; // bytes: the erase unit
} flash_obj_t;

static mp_obj_t flash_make_new(
    const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    const rawflash_region_t *region = rawflash_region(mp_obj_str_get_str(args[0]));
    rawflash_chip_t chip;
    if (region == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such region"));
    }
    if (rawflash_info(&chip) != RAWFLASH_OK) {
        mp_raise_OSError(MP_ENODEV);
    }
    flash_obj_t *self = mp_obj_malloc(flash_obj_t, type);
    self->region = region;
    self->block = chip.erase;
    return MP_OBJ_FROM_PTR(self);
}

// Position in the region of readblocks' and writeblocks' arguments (self, block, buf[, offset]).
static size_t position(const flash_obj_t *self, size_t n_args, const mp_obj_t *args) {
    mp_int_t block = mp_obj_get_int(args[1]);
    mp_int_t offset = n_args == 4 ? mp_obj_get_int(args[3]) : 0;
    if (block < 0 || offset < 0 || (mp_uint_t)block > self->region->size / self->block) {
        mp_raise_OSError(MP_EINVAL);
    }
    return (size_t)block * self->block + (size_t)offset; // rawflash checks the bounds
}

// As littlefs wants it: 0 or a negative error number.
static mp_obj_t result(int status) {
    static const int8_t numbers[] = {
        [RAWFLASH_RANGE] = -MP_EINVAL,
        [RAWFLASH_READ_ONLY] = -MP_EROFS,
    };
    if (status == RAWFLASH_OK) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    int number = (size_t)status < MP_ARRAY_SIZE(numbers) ? numbers[status] : 0;
    return MP_OBJ_NEW_SMALL_INT(number == 0 ? -MP_EIO : number);
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    flash_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    return result(
        rawflash_read(self->region, position(self, n_args, args), buf.buf, buf.len));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    flash_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    size_t at = position(self, n_args, args);
    if (n_args == 3) { // without an offset: erases, too
        int status = rawflash_erase(self->region, at, buf.len);
        if (status != RAWFLASH_OK) {
            return result(status);
        }
    }
    return result(rawflash_program(self->region, at, buf.buf, buf.len));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

static mp_obj_t flash_ioctl(mp_obj_t self_in, mp_obj_t operation, mp_obj_t argument) {
    flash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(self->region->size / self->block);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(self->block);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE: {
            mp_obj_t args[] = { self_in, argument };
            return result(
                rawflash_erase(self->region, position(self, 2, args), self->block));
        }
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

static const mp_rom_map_elem_t flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(flash_locals, flash_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(flash_type, MP_QSTR_Flash, MP_TYPE_FLAG_NONE, make_new,
    flash_make_new, locals_dict, &flash_locals);

static const mp_rom_map_elem_t ast1030_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_ast1030) },
    { MP_ROM_QSTR(MP_QSTR_Flash), MP_ROM_PTR(&flash_type) },
};
static MP_DEFINE_CONST_DICT(ast1030_globals, ast1030_globals_table);

const mp_obj_module_t p11_module_ast1030 = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&ast1030_globals,
};
MP_REGISTER_MODULE(MP_QSTR_ast1030, p11_module_ast1030);
