/*
 * The board interface on a QEMU machine with the board's core (mps2-an386: Cortex-M4, mps2-an500: Cortex-M7,
 * mps2-an505: Cortex-M33), by Arm semihosting: run with
 *
 *     qemu-system-arm -M <machine> -display none -monitor none -serial none \
 *         -chardev stdio,id=console -semihosting-config enable=on,target=native,chardev=console -kernel <elf>
 *
 * QEMU's exit status is board_exit()'s. QEMU has no cycle counter (no DWT) and no clock that means something.
 */
#include "board.h"
#include "registers.h"

/* Semihosting operations, "Semihosting for AArch32 and AArch64" by Arm. */
#define SYS_WRITE0 0x04u
#define SYS_EXIT_EXTENDED 0x20u
#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

#define SCB_CPUID REGISTER(0xE000ED00)
#define CHUNK 128u

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;

    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void board_init(void)
{
}

const char *board_name(void)
{
    switch ((*SCB_CPUID >> 4) & 0xFFFu) { /* PARTNO */
    case 0xC24u:
        return "QEMU-cortex-m4";
    case 0xC27u:
        return "QEMU-cortex-m7";
    case 0xD21u:
        return "QEMU-cortex-m33";
    default:
        return "QEMU";
    }
}

uint32_t board_clock_hz(void)
{
    return 0u;
}

/* SYS_WRITE0 takes text that ends with a zero byte, so the text goes out in chunks. */
void board_write(const char *text, size_t length)
{
    char chunk[CHUNK + 1u];

    while (length > 0u) {
        size_t count = length < CHUNK ? length : CHUNK;
        for (size_t i = 0; i < count; i++) {
            chunk[i] = text[i];
        }
        chunk[count] = '\0';
        (void)semihosting(SYS_WRITE0, chunk);
        text += count;
        length -= count;
    }
}

uint32_t board_cycles(void)
{
    return 0u;
}

int board_has_cycle_counter(void)
{
    return 0;
}

void board_exit(int status)
{
    const uint32_t reason[2] = {ADP_STOPPED_APPLICATION_EXIT, (uint32_t)status};

    (void)semihosting(SYS_EXIT_EXTENDED, reason);
    for (;;) {
    }
}

/* A fault would otherwise hang in the default handler until somebody stops QEMU. */
static void stop_on_fault(void) __attribute__((noreturn));
static void stop_on_fault(void)
{
    (void)semihosting(SYS_WRITE0, "\napprox: FAULT\n");
    board_exit(3);
}

void HardFault_Handler(void);
void HardFault_Handler(void)
{
    stop_on_fault();
}
