#ifndef SYSMEM_H
#define SYSMEM_H

/* The first byte after the heap (newlib's malloc), that is after all static data as long as nobody calls malloc. */
void *heap_end(void);

#endif
