#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of IEEE 802.3, reflected, polynomial 0xEDB88320: the same value as zlib's crc32(). */
uint32_t crc32(const void *data, size_t length);

#endif
