// SPDX-License-Identifier: MIT
// Where an STM32's random number generator and identity are, per family. The build gives
// STM32_FAMILY_xx; stm32_check.c compares the numbers with the vendor's headers.
#ifndef STM32_CHIP_H
#define STM32_CHIP_H

#if defined(STM32_FAMILY_F4)
#define RNG_AT 0x50060800u
#define RNG_CLOCK_AT 0x40023834u // RCC_AHB2ENR
#define RNG_CLOCK_BIT (1u << 6)
#define UNIQUE_ID_AT 0x1fff7a10u
#elif defined(STM32_FAMILY_L4)
#define RNG_AT 0x50060800u
#define RNG_CLOCK_AT 0x4002104cu // RCC_AHB2ENR
#define RNG_CLOCK_BIT (1u << 18)
#define UNIQUE_ID_AT 0x1fff7590u
#elif defined(STM32_FAMILY_G4)
#define RNG_AT 0x50060800u
#define RNG_CLOCK_AT 0x4002104cu // RCC_AHB2ENR
#define RNG_CLOCK_BIT (1u << 26)
#define UNIQUE_ID_AT 0x1fff7590u
#elif defined(STM32_FAMILY_WB)
#define RNG_AT 0x58001000u
#define RNG_CLOCK_AT 0x58000050u // RCC_AHB3ENR
#define RNG_CLOCK_BIT (1u << 18)
#define UNIQUE_ID_AT 0x1fff7590u
#define RNG_SEMAPHORE_AT 0x58001480u // HSEM_RLR0: the radio processor draws from it, too
#define RNG_SEMAPHORE_RELEASE_AT 0x58001400u
#elif defined(STM32_FAMILY_H7)
#define RNG_AT 0x48021800u
#define RNG_CLOCK_AT 0x580244dcu // RCC_AHB2ENR
#define RNG_CLOCK_BIT (1u << 6)
#define UNIQUE_ID_AT 0x1ff1e800u
#define RCC_CR_AT 0x58024400u // the generator runs on the 48 MHz oscillator
#define RCC_CR_HSI48_ON (1u << 12)
#define RCC_CR_HSI48_READY (1u << 13)
#define RNG_SOURCE_AT 0x58024454u // RCC_D2CCIP2R
#define RNG_SOURCE_MASK (3u << 8)
#else
#error "no random number generator is known for this family: keys could not be made safely"
#endif

#define RNG_CR_AT (RNG_AT + 0)
#define RNG_CR_ENABLE (1u << 2)
#define RNG_SR_AT (RNG_AT + 4)
#define RNG_SR_READY (1u << 0)
#define RNG_SR_CLOCK_NOW (1u << 1) // CECS
#define RNG_SR_SEED_NOW (1u << 2)  // SECS
#define RNG_SR_CLOCK_WAS (1u << 5) // CEIS, cleared by writing zero
#define RNG_SR_SEED_WAS (1u << 6)  // SEIS, likewise
#define RNG_SR_ERRORS \
    (RNG_SR_CLOCK_NOW | RNG_SR_SEED_NOW | RNG_SR_CLOCK_WAS | RNG_SR_SEED_WAS)
#define RNG_DR_AT (RNG_AT + 8)

#endif
