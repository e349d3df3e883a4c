/*
 * Compares the network with the integer reference: every layer that its observer sees by its checksum, the
 * output byte by byte.
 */
#ifndef VERIFICATION_H
#define VERIFICATION_H

#include <stdint.h>

/* Runs every test vector, prints a verdict on each, and returns how many are right. */
uint32_t verification_run(void);

#endif
