// SPDX-License-Identifier: MIT
// What MicroPython's mbedTLS needs of this port: random numbers, the time, and the alert that ended a
// connection (module _tls, used by pkcs11.tls).

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/ssl.h"
#if P11_TLS13
#include "psa/crypto.h"
#include "psa/crypto_extra.h"
#endif

#include "chip.h"

// --- random ----------------------------------------------------------------------------------

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen);
int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen) {
    (void)data;
    *olen = len;
    return p11crypto_random != NULL && p11crypto_random(output, len) == 0 ? 0 : -1;
}

#if P11_TLS13
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
    uint8_t *output, size_t output_size, size_t *output_length) {
    (void)context;
    size_t len = 0;
    int failed = mbedtls_hardware_poll(NULL, output, output_size, &len);
    *output_length = failed ? 0 : len;
    return failed ? PSA_ERROR_INSUFFICIENT_ENTROPY : PSA_SUCCESS;
}
#endif

// --- time ------------------------------------------------------------------------------------

// Seconds since 2000, the epoch of this port; only mbedtls_platform_gmtime_r reads them.
time_t p11_tls_time(time_t *out) {
    time_t now = (time_t)(mp_hal_time_ns() / 1000000000u);
    if (out != NULL) {
        *out = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void) {
    return (mbedtls_ms_time_t)(mp_hal_time_ns() / 1000000u);
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *seconds, struct tm *out) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_epoch_to_struct_time((mp_uint_t)*seconds, &t);
    *out = (struct tm){
        .tm_year = t.tm_year - 1900,
        .tm_mon = t.tm_mon - 1,
        .tm_mday = t.tm_mday,
        .tm_hour = t.tm_hour,
        .tm_min = t.tm_min,
        .tm_sec = t.tm_sec,
    };
    return out;
}

// --- alerts ----------------------------------------------------------------------------------

// The alert with which the peer ended the connection that was freed last, or -1. extmod's module
// frees a connection that fails before anybody can ask it.
static int last_alert = -1;

void __real_mbedtls_ssl_free(mbedtls_ssl_context *ssl);
void __wrap_mbedtls_ssl_free(mbedtls_ssl_context *ssl);
void __wrap_mbedtls_ssl_free(mbedtls_ssl_context *ssl) {
    if (ssl != NULL && ssl->conf != NULL) {
        bool alert = ssl->in_msg != NULL && ssl->in_msgtype == MBEDTLS_SSL_MSG_ALERT
                     && ssl->in_msg[0] == MBEDTLS_SSL_ALERT_LEVEL_FATAL;
        last_alert = alert ? ssl->in_msg[1] : -1;
    }
    __real_mbedtls_ssl_free(ssl);
}

static mp_obj_t tls_alert(void) {
    int alert = last_alert;
    last_alert = -1;
    return MP_OBJ_NEW_SMALL_INT(alert);
}
static MP_DEFINE_CONST_FUN_OBJ_0(tls_alert_obj, tls_alert);

static const mp_rom_map_elem_t tls_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__tls) },
    { MP_ROM_QSTR(MP_QSTR_alert), MP_ROM_PTR(&tls_alert_obj) },
    { MP_ROM_QSTR(MP_QSTR_TLS13), MP_ROM_INT(P11_TLS13) },
    { MP_ROM_QSTR(MP_QSTR_ENGINE), MP_ROM_INT(P11_TLS_ENGINE) },
};
static MP_DEFINE_CONST_DICT(tls_globals, tls_globals_table);

const mp_obj_module_t p11_module_tls = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&tls_globals,
};
MP_REGISTER_MODULE(MP_QSTR__tls, p11_module_tls);

// --- soft reset ------------------------------------------------------------------------------

// Call it when all connections are finalised and before the heap goes: PSA's key store is in it.
void p11_tls_forget(void) {
#if P11_TLS13
    mbedtls_psa_crypto_free();
#endif
    last_alert = -1;
}
