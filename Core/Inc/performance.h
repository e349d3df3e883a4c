/*
 * Cycles of the network on this board. Without a cycle counter the same lines say so.
 */
#ifndef PERFORMANCE_H
#define PERFORMANCE_H

/* Runs every test vector and prints the cycles of each layer that the network's observer sees, averaged. */
void performance_print_layers(void);

/* Runs every test vector without an observer and prints the figures of the whole network, averaged. */
void performance_print_network(void);

#endif
