// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files see: it brings POSIX timers, and newlib's
// timers bring the names of signal.h. mbedTLS's headers include it.
#include <signal.h>
#include_next <time.h>
