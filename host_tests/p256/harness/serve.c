// SPDX-License-Identifier: MIT
#include "harness.h"

#include <string.h>

int serve(const uint8_t *requests, size_t size, void (*reply)(const reply_t *)) {
    static request_t request;
    static reply_t answer;
    for (; size >= sizeof(request); size -= sizeof(request), requests += sizeof(request)) {
        memcpy(&request, requests, sizeof(request));
        memset(&answer, 0, sizeof(answer));
        int with_stack = (request.op & WITH_STACK) != 0;
        request.op &= ~WITH_STACK;
        prepare(&request);
        if (with_stack) {
            stack_paint();
        }
        uint32_t then = clock_now();
        answer.result = run(answer.out, &request);
        answer.instructions = clock_since(then);
        if (with_stack) {
            stack_look(&answer.stack, &answer.residue);
        }
        reply(&answer);
    }
    return size == 0 ? 0 : 1;
}
