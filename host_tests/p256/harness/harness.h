// SPDX-License-Identifier: MIT
// The test and benchmark driver: one program that reads records from a file, performs an operation
// per record and writes records back. The same source runs on this machine, on an emulated
// Cortex-M4 and on an emulated RV32 (the files are then read over semihosting).
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>

// Fields are used as the operation needs; see operations() in ops_engine.c.
typedef struct {
    uint32_t op;
    uint32_t number; // length of the digest, repetitions, size
    uint8_t scalar[32];
    uint8_t digest[64];
    uint8_t nonce[32];
    uint8_t blind[32];
    uint8_t point[64];
    uint8_t signature[64];
} request_t;

typedef struct {
    uint32_t result;
    uint32_t instructions; // 0 where they cannot be counted
    uint32_t stack;        // bytes below the caller that were touched; 0 unless asked for
    uint32_t residue;      // hash of what is left in the stack below the caller
    uint8_t out[64];
} reply_t;

// op | WITH_STACK: measure the stack too.
#define WITH_STACK 0x80000000u

enum {
    OP_NOTHING,
    OP_PUBLIC,
    OP_SIGN,
    OP_SIGN_RFC6979,
    OP_VERIFY,
    OP_ECDH,
    OP_POINT_VALID,
    OP_SHA256,
    OP_NOPS,
    OP_MUL = 16,
    OP_SQR,
    OP_ADD,
    OP_SUB,
    OP_HALF,
    OP_INVERT,
    OP_SCALAR_MUL,
    OP_SCALAR_INVERT,
};

// Provided by ops_*.c: what is under test. Only `run` is measured.
void prepare(const request_t *request);
uint32_t run(uint8_t out[64], const request_t *request);

// Provided by target_*.c.
uint32_t clock_now(void); // instructions, modulo some power of two
uint32_t clock_since(uint32_t then);
void stack_paint(void);
void stack_look(uint32_t *depth, uint32_t *residue);

int serve(const uint8_t *requests, size_t size, void (*reply)(const reply_t *));

#endif
