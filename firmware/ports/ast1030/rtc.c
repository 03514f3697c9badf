// SPDX-License-Identifier: MIT
// machine.RTC: the date and time, for as long as the chip is powered. It has no battery clock: until
// somebody sets it (mpremote rtc --set, a tunnel, the application) it is the year 2000.

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"

#include "ticks.h"

#define MICROSECONDS 1000000u

static const mp_obj_base_t rtc = { &p11_rtc_type };

static mp_obj_t rtc_make_new(
    const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&rtc);
}

// datetime([(year, month, day, weekday, hours, minutes, seconds, microseconds)]); the weekday is
// ignored when setting. ValueError for years before 2000.
static mp_obj_t rtc_datetime(size_t n_args, const mp_obj_t *args) {
    if (n_args == 1) {
        uint64_t now = mp_hal_time_ns() / 1000;
        timeutils_struct_time_t tm;
        timeutils_seconds_since_epoch_to_struct_time((mp_uint_t)(now / MICROSECONDS), &tm);
        mp_obj_t fields[8] = {
            MP_OBJ_NEW_SMALL_INT(tm.tm_year),
            MP_OBJ_NEW_SMALL_INT(tm.tm_mon),
            MP_OBJ_NEW_SMALL_INT(tm.tm_mday),
            MP_OBJ_NEW_SMALL_INT(tm.tm_wday),
            MP_OBJ_NEW_SMALL_INT(tm.tm_hour),
            MP_OBJ_NEW_SMALL_INT(tm.tm_min),
            MP_OBJ_NEW_SMALL_INT(tm.tm_sec),
            MP_OBJ_NEW_SMALL_INT(now % MICROSECONDS),
        };
        return mp_obj_new_tuple(8, fields);
    }
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(args[1], 8, &items);
    mp_int_t field[8];
    for (size_t i = 0; i < 8; i++) {
        field[i] = mp_obj_get_int(items[i]);
    }
    if (field[0] < 2000 || field[0] > 2135) { // 32 bits of seconds
        mp_raise_ValueError(MP_ERROR_TEXT("year must be 2000..2135"));
    }
    mp_uint_t seconds = timeutils_mktime(field[0], field[1], field[2], field[4], field[5], field[6]);
    p11_clock_set((uint64_t)seconds * MICROSECONDS + (uint32_t)field[7] % MICROSECONDS);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(rtc_datetime_obj, 1, 2, rtc_datetime);

static const mp_rom_map_elem_t rtc_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_datetime), MP_ROM_PTR(&rtc_datetime_obj) },
};
static MP_DEFINE_CONST_DICT(rtc_locals, rtc_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(p11_rtc_type, MP_QSTR_RTC, MP_TYPE_FLAG_NONE, make_new, rtc_make_new,
    locals_dict, &rtc_locals);
