// SPDX-License-Identifier: MIT
#include "entropy.h"

#include "drbg.h"
#include "wipe.h"

static struct {
    uint8_t state;
    uint8_t last; // repetition count: previous sample and length of its run
    uint8_t run;
    uint8_t first; // adaptive proportion: first sample of the window and its count
    uint16_t seen;
    uint16_t equal;
    uint32_t samples;
    uint32_t rct_alarms;
    uint32_t apt_alarms;
    uint32_t restarts;
} source;

#if P11_TEST
static bool no_source; // tests choose at run time

bool p11_has_source(void) {
    return !no_source;
}

void p11_test_no_source(bool none) {
    no_source = none;
}
#else
bool p11_has_source(void) {
    return !P11_NO_TRNG;
}
#endif

static void forget(void) {
    source.last = 0;
    source.run = 0;
    source.first = 0;
    source.seen = 0;
    source.equal = 0;
}

// One sample through both tests; false on an alarm.
static bool examine(uint8_t sample) {
    source.samples++;

    source.run = source.run > 0 && sample == source.last ? source.run + 1 : 1;
    source.last = sample;
    if (source.run >= P11_RCT_CUTOFF) {
        source.rct_alarms++;
        return false;
    }

    if (source.seen == 0) {
        source.first = sample;
        source.equal = 0;
    }
    source.equal += sample == source.first;
    source.seen = (source.seen + 1) % P11_APT_WINDOW;
    if (source.equal >= P11_APT_CUTOFF) {
        source.apt_alarms++;
        return false;
    }
    return true;
}

static bool collect(uint8_t *out, size_t len) {
    if (!p11_chip_entropy(out, len)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!examine(out[i])) {
            return false;
        }
    }
    return true;
}

static bool start_up(void) {
    uint8_t discarded[64];
    bool good = true;
    forget();
    for (size_t n = 0; good && n < P11_STARTUP_SAMPLES; n += sizeof(discarded)) {
        good = collect(discarded, sizeof(discarded));
    }
    p11_wipe(discarded, sizeof(discarded));
    if (good) {
        source.state = P11_SOURCE_OK;
    }
    return good;
}

int p11_entropy_poll(uint8_t *out, size_t len) {
    while (p11_has_source() && source.state != P11_SOURCE_FAILED) {
        if ((source.state == P11_SOURCE_OK || start_up()) && collect(out, len)) {
            return P11_OK;
        }
        if (source.restarts == 0) {
            source.restarts = 1;
            source.state = P11_SOURCE_IDLE;
        } else {
            source.state = P11_SOURCE_FAILED;
        }
    }
    p11_wipe(out, len);
    return P11_ENTROPY;
}

int p11_hardware_poll(uint8_t *out, size_t len) {
    return p11_entropy_poll(out, len);
}

bool p11_entropy_failed(void) {
    return source.state == P11_SOURCE_FAILED;
}

void p11_entropy_fail(void) {
    source.state = P11_SOURCE_FAILED;
}

void p11_entropy_seeded(void) {
    source.state = P11_SOURCE_OK;
}

void p11_entropy_soft_reset(void) {
    forget();
    if (source.state == P11_SOURCE_OK) {
        source.state = P11_SOURCE_IDLE;
    }
}

void p11_entropy_info(p11_entropy_info_t *out) {
    out->state = source.state;
    out->samples = source.samples;
    out->rct_alarms = source.rct_alarms;
    out->apt_alarms = source.apt_alarms;
    out->restarts = source.restarts;
    out->reseeds = p11_drbg_reseeds();
}

#if P11_TEST
void p11_entropy_power_on(void) {
    p11_wipe(&source, sizeof(source));
}
#endif
