// SPDX-License-Identifier: MIT
// Part of extmod/modtime.c: calendar time as machine.RTC was set (rtc.c).

#include "shared/timeutils/timeutils.h"

static uint32_t seconds_since_2000(void) {
    return (uint32_t)(mp_hal_time_ns() / 1000000000u);
}

#if MICROPY_VERSION >= MICROPY_MAKE_VERSION(1, 27, 0)

static void mp_time_localtime_get(timeutils_struct_time_t *tm) {
    timeutils_seconds_since_epoch_to_struct_time(seconds_since_2000(), tm);
}

#else

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(seconds_since_2000(), &tm);
    mp_obj_t fields[8] = {
        MP_OBJ_NEW_SMALL_INT(tm.tm_year),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mon),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mday),
        MP_OBJ_NEW_SMALL_INT(tm.tm_hour),
        MP_OBJ_NEW_SMALL_INT(tm.tm_min),
        MP_OBJ_NEW_SMALL_INT(tm.tm_sec),
        MP_OBJ_NEW_SMALL_INT(tm.tm_wday),
        MP_OBJ_NEW_SMALL_INT(tm.tm_yday),
    };
    return mp_obj_new_tuple(8, fields);
}

#endif

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_uint(seconds_since_2000());
}
