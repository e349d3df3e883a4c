/*
 * NUCLEO-L4R5ZI: STM32L4R5ZIT6, Cortex-M4, 120 MHz.
 *
 * Clock: MSI, 4 MHz after a reset -> PLL (/1, *60, /2) -> 120 MHz for the core and all buses. The internal oscillator
 * needs no part on the board; its tolerance touches the milliseconds, not the cycles.
 * Power: range 1 boost mode, which RM0432 asks for above 80 MHz.
 * Flash: 5 wait states in range 1 boost mode above 100 MHz; prefetch, instruction and data cache on.
 * Console: LPUART1 on PG7/PG8, wired to the ST-LINK's virtual COM port. PG2 to PG15 are supplied by VDDIO2, which is
 * isolated until PWR_CR2.IOSV is set.
 *
 * Names and bits below: RM0432, chapters PWR, RCC, FLASH, LPUART.
 */
#include "stm32.h"

#include "cortex_m.h"
#include "gpio.h"
#include "registers.h"
#include "usart.h"

#define RCC_CR REGISTER(0x40021000)
#define RCC_CR_MSIRDY BIT(1)
#define RCC_CR_PLLON BIT(24)
#define RCC_CR_PLLRDY BIT(25)
#define RCC_CFGR REGISTER(0x40021008)
#define RCC_CFGR_SW FIELD(3, 0)
#define RCC_CFGR_SW_PLL FIELD(3, 0)
#define RCC_CFGR_SWS FIELD(3, 2)
#define RCC_CFGR_SWS_PLL FIELD(3, 2)
#define RCC_CFGR_HPRE FIELD(15, 4)
#define RCC_CFGR_HPRE_2 FIELD(8, 4) /* core and bus clock = system clock / 2 */
#define RCC_PLLCFGR REGISTER(0x4002100C)
#define RCC_PLLCFGR_SRC_MSI FIELD(1, 0)
#define RCC_PLLCFGR_M(divider) FIELD((divider) - 1, 4)
#define RCC_PLLCFGR_N(factor) FIELD(factor, 8)
#define RCC_PLLCFGR_REN BIT(24)
#define RCC_PLLCFGR_R_2 FIELD(0, 25)
#define RCC_AHB2ENR REGISTER(0x4002104C)
#define RCC_AHB2ENR_GPIOBEN BIT(1)
#define RCC_AHB2ENR_GPIOCEN BIT(2)
#define RCC_AHB2ENR_GPIOGEN BIT(6)
#define RCC_APB1ENR1 REGISTER(0x40021058)
#define RCC_APB1ENR1_PWREN BIT(28)
#define RCC_APB1ENR2 REGISTER(0x4002105C)
#define RCC_APB1ENR2_LPUART1EN BIT(0)

#define PWR_CR2 REGISTER(0x40007004)
#define PWR_CR2_IOSV BIT(9)
#define PWR_CR5 REGISTER(0x40007080)
#define PWR_CR5_R1MODE BIT(8) /* 0: boost */
#define PWR_SR2 REGISTER(0x40007014)
#define PWR_SR2_VOSF BIT(10) /* 1: the regulator is still changing */

#define FLASH_ACR REGISTER(0x40022000)
#define FLASH_ACR_LATENCY FIELD(15, 0)
#define FLASH_ACR_PRFTEN BIT(8)
#define FLASH_ACR_ICEN BIT(9)
#define FLASH_ACR_DCEN BIT(10)

#define GPIOB 0x48000400u
#define GPIOC 0x48000800u
#define GPIOG 0x48001800u

#define RESET_CLOCK_HZ 4000000u
#define FULL_CLOCK_HZ 120000000u

const char stm32_board_name[] = "NUCLEO-L4R5ZI";
const struct usart stm32_console = LPUART_AT(0x40008000u); /* LPUART1 */

/* At least 1 us at 60 MHz: a turn of the loop takes more than one cycle. */
static void wait_one_microsecond(void)
{
    for (uint32_t turns = 0; turns < 60u; turns++) {
        __asm volatile("nop");
    }
}

/* 1 when the core runs from the PLL; 0 when something did not start: the core is then still on MSI. */
static int run_at_full_clock(void)
{
    enable_clock(RCC_APB1ENR1, RCC_APB1ENR1_PWREN);
    clear_bits(PWR_CR5, PWR_CR5_R1MODE);
    if (!wait_for(PWR_SR2, PWR_SR2_VOSF, 0u)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(5, 0));
    if (!wait_for(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(5, 0))) {
        return 0;
    }

    if (!wait_for(RCC_CR, RCC_CR_MSIRDY, RCC_CR_MSIRDY)) {
        return 0;
    }
    *RCC_PLLCFGR = RCC_PLLCFGR_SRC_MSI | RCC_PLLCFGR_M(1) | RCC_PLLCFGR_N(60) | RCC_PLLCFGR_R_2;
    set_bits(RCC_CR, RCC_CR_PLLON);
    if (!wait_for(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return 0;
    }
    set_bits(RCC_PLLCFGR, RCC_PLLCFGR_REN);

    /* The step to above 80 MHz goes through half the clock for at least 1 us. */
    change_bits(RCC_CFGR, RCC_CFGR_HPRE, RCC_CFGR_HPRE_2);
    change_bits(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL);
    if (!wait_for(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        clear_bits(RCC_CFGR, RCC_CFGR_SW | RCC_CFGR_HPRE); /* back to MSI, undivided */
        return 0;
    }
    wait_one_microsecond();
    clear_bits(RCC_CFGR, RCC_CFGR_HPRE);
    return 1;
}

struct stm32_clocks stm32_start(void)
{
    uint32_t clock_hz = run_at_full_clock() ? FULL_CLOCK_HZ : RESET_CLOCK_HZ;

    set_bits(FLASH_ACR, FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    return (struct stm32_clocks){clock_hz, clock_hz}; /* LPUART1 runs from PCLK1, undivided */
}

void stm32_connect_console(void)
{
    set_bits(PWR_CR2, PWR_CR2_IOSV);
    enable_clock(RCC_AHB2ENR, RCC_AHB2ENR_GPIOGEN);
    enable_clock(RCC_APB1ENR2, RCC_APB1ENR2_LPUART1EN);
    gpio_alternate(GPIOG, 7, 8); /* LPUART1_TX */
    gpio_alternate(GPIOG, 8, 8); /* LPUART1_RX */
}

void stm32_show(int status)
{
    if (status == 0) {
        enable_clock(RCC_AHB2ENR, RCC_AHB2ENR_GPIOCEN);
        gpio_drive_high(GPIOC, 7); /* LD1, green */
    } else {
        enable_clock(RCC_AHB2ENR, RCC_AHB2ENR_GPIOBEN);
        gpio_drive_high(GPIOB, 14); /* LD3, red */
    }
}
