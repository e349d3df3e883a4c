/*
 * Compares the network with the integer reference: every layer's output by its checksum, the last one byte by byte.
 */
#ifndef VERIFICATION_H
#define VERIFICATION_H

#include <stdint.h>

/* Runs every test vector, prints a verdict on each, and returns how many are right. */
uint32_t verification_run(void);

#endif
