// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#ifndef SOC_HMAC_SUPPORTED
#define SOC_HMAC_SUPPORTED 1
#endif
