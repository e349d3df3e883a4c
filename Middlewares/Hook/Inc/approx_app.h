/* SPDX-License-Identifier: MIT */
/*
 * The network in an application: two calls for main(), and four functions that the application may define.
 *
 *     #include "approx_app.h"       USER CODE BEGIN Includes
 *     MX_APPROX_Init();             USER CODE BEGIN 2, after the peripherals
 *     MX_APPROX_Process();          USER CODE BEGIN 3, in the loop
 *
 * Each of the four functions has a weak definition in approx_app.c: a function of the same name in a file of your own
 * takes its place. This file and approx_app.c are generated; nothing of yours has to stand in them.
 */
#ifndef APPROX_APP_H
#define APPROX_APP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the cycle counter, and forgets what the network may remember of earlier inferences. */
void MX_APPROX_Init(void);

/* One round: asks for an input, runs the network on it, and hands the output over. */
void MX_APPROX_Process(void);

/* Writes the next input (APPROX_NETWORK_IN_SIZE_BYTES values) and returns 1, or returns 0 if there is none yet. As it
   is: zeros, once, so that a first build shows that the network runs. */
int approx_app_acquire(int8_t *input);

/* Takes an output (APPROX_NETWORK_OUT_SIZE_BYTES values). status: 0, or 1 + the layer that failed. cycles: of the core,
   as approx_app_cycles() counts them. As it is: prints one line. */
void approx_app_result(const int8_t *output, int32_t status, uint32_t cycles);

/* A counter of core clock cycles, modulo 2^32. As it is: DWT_CYCCNT, 0 on a core that has none. */
uint32_t approx_app_cycles(void);

/* Writes text. As it is: by the project's __io_putchar(), which also serves printf(), or nowhere without one. */
void approx_app_write(const char *text, uint32_t length);

#ifdef __cplusplus
}
#endif

#endif
