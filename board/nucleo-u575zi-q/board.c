/*
 * NUCLEO-U575ZI-Q: STM32U575ZIT6Q, Cortex-M33, 160 MHz.
 *
 * Clock: MSIS, 4 MHz after a reset -> PLL1 (/1, *80, /2) -> 160 MHz for the core and all buses. The internal
 * oscillator needs no part on the board; its tolerance touches the milliseconds, not the cycles.
 * Power: SMPS (its coil is on the board), range 1 with the EPOD booster, which RM0456 asks for above 55 MHz.
 * Flash: 4 wait states in range 1 above 128 MHz, prefetch on. ICACHE: on, 2 ways.
 * Console: USART1 on PA9/PA10, wired to the ST-LINK's virtual COM port.
 *
 * Names and bits below: RM0456, chapters PWR, RCC, FLASH, ICACHE, USART; non-secure addresses (TrustZone is off in a
 * chip as delivered, option bit TZEN = 0).
 */
#include "stm32.h"

#include "cortex_m.h"
#include "gpio.h"
#include "registers.h"
#include "usart.h"

#define RCC_CR REGISTER(0x46020C00)
#define RCC_CR_MSISRDY BIT(2)
#define RCC_CR_PLL1ON BIT(24)
#define RCC_CR_PLL1RDY BIT(25)
#define RCC_CFGR1 REGISTER(0x46020C1C)
#define RCC_CFGR1_SW FIELD(3, 0)
#define RCC_CFGR1_SW_PLL FIELD(3, 0)
#define RCC_CFGR1_SWS FIELD(3, 2)
#define RCC_CFGR1_SWS_PLL FIELD(3, 2)
#define RCC_PLL1CFGR REGISTER(0x46020C28)
#define RCC_PLL1CFGR_SRC_MSIS FIELD(1, 0)
#define RCC_PLL1CFGR_RGE_4_TO_8_MHZ FIELD(0, 2)
#define RCC_PLL1CFGR_M(divider) FIELD((divider) - 1, 8)
#define RCC_PLL1CFGR_MBOOST_1 FIELD(0, 12) /* EPOD clock = PLL input / 1 = 4 MHz; 4 to 16 MHz are allowed */
#define RCC_PLL1CFGR_REN BIT(18)
#define RCC_PLL1DIVR REGISTER(0x46020C34)
#define RCC_PLL1DIVR_N(factor) FIELD((factor) - 1, 0)
#define RCC_PLL1DIVR_P(divider) FIELD((divider) - 1, 9)
#define RCC_PLL1DIVR_Q(divider) FIELD((divider) - 1, 16)
#define RCC_PLL1DIVR_R(divider) FIELD((divider) - 1, 24)
#define RCC_AHB2ENR1 REGISTER(0x46020C8C)
#define RCC_AHB2ENR1_GPIOAEN BIT(0)
#define RCC_AHB2ENR1_GPIOCEN BIT(2)
#define RCC_AHB2ENR1_GPIOGEN BIT(6)
#define RCC_AHB3ENR REGISTER(0x46020C94)
#define RCC_AHB3ENR_PWREN BIT(2)
#define RCC_APB2ENR REGISTER(0x46020CA4)
#define RCC_APB2ENR_USART1EN BIT(14)

#define PWR_CR3 REGISTER(0x46020808)
#define PWR_CR3_REGSEL BIT(1) /* 1: SMPS */
#define PWR_VOSR REGISTER(0x4602080C)
#define PWR_VOSR_BOOSTRDY BIT(14)
#define PWR_VOSR_VOSRDY BIT(15)
#define PWR_VOSR_VOS FIELD(3, 16)
#define PWR_VOSR_VOS_RANGE1 FIELD(3, 16)
#define PWR_VOSR_BOOSTEN BIT(18)
#define PWR_SVMCR REGISTER(0x46020810)
#define PWR_SVMCR_IO2SV BIT(29) /* VDDIO2, which supplies PG2 to PG15, is present */
#define PWR_SVMSR REGISTER(0x4602083C)
#define PWR_SVMSR_REGS BIT(1) /* 1: SMPS in use */

#define FLASH_ACR REGISTER(0x40022000)
#define FLASH_ACR_LATENCY FIELD(15, 0)
#define FLASH_ACR_PRFTEN BIT(8)

#define ICACHE_CR REGISTER(0x40030400)
#define ICACHE_CR_EN BIT(0)
#define ICACHE_SR REGISTER(0x40030404)
#define ICACHE_SR_BUSYF BIT(0)

#define GPIOA 0x42020000u
#define GPIOC 0x42020800u
#define GPIOG 0x42021800u

#define RESET_CLOCK_HZ 4000000u
#define FULL_CLOCK_HZ 160000000u

const char stm32_board_name[] = "NUCLEO-U575ZI-Q";
const struct usart stm32_console = USART_AT(0x40013800u); /* USART1 */

/* 1 when the core runs from the PLL; 0 when something did not start: the core is then still on MSIS. */
static int run_at_full_clock(void)
{
    enable_clock(RCC_AHB3ENR, RCC_AHB3ENR_PWREN);

    /* Either regulator carries 160 MHz; the SMPS takes half the current. If it does not take over, the LDO stays. */
    set_bits(PWR_CR3, PWR_CR3_REGSEL);
    (void)wait_for(PWR_SVMSR, PWR_SVMSR_REGS, PWR_SVMSR_REGS);

    /* The booster takes its clock from the PLL's input: source and MBOOST come before BOOSTEN. */
    if (!wait_for(RCC_CR, RCC_CR_MSISRDY, RCC_CR_MSISRDY)) {
        return 0;
    }
    *RCC_PLL1CFGR = RCC_PLL1CFGR_SRC_MSIS | RCC_PLL1CFGR_RGE_4_TO_8_MHZ | RCC_PLL1CFGR_M(1) | RCC_PLL1CFGR_MBOOST_1;
    *RCC_PLL1DIVR = RCC_PLL1DIVR_N(80) | RCC_PLL1DIVR_P(2) | RCC_PLL1DIVR_Q(2) | RCC_PLL1DIVR_R(2);
    change_bits(PWR_VOSR, PWR_VOSR_VOS, PWR_VOSR_VOS_RANGE1 | PWR_VOSR_BOOSTEN);
    if (!wait_for(PWR_VOSR, PWR_VOSR_VOSRDY, PWR_VOSR_VOSRDY)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(4, 0));
    if (!wait_for(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(4, 0))) {
        return 0;
    }
    set_bits(FLASH_ACR, FLASH_ACR_PRFTEN);

    set_bits(RCC_CR, RCC_CR_PLL1ON);
    if (!wait_for(RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY) ||
        !wait_for(PWR_VOSR, PWR_VOSR_BOOSTRDY, PWR_VOSR_BOOSTRDY)) {
        return 0;
    }
    set_bits(RCC_PLL1CFGR, RCC_PLL1CFGR_REN);

    change_bits(RCC_CFGR1, RCC_CFGR1_SW, RCC_CFGR1_SW_PLL);
    if (!wait_for(RCC_CFGR1, RCC_CFGR1_SWS, RCC_CFGR1_SWS_PLL)) {
        clear_bits(RCC_CFGR1, RCC_CFGR1_SW); /* 00: back to MSIS */
        return 0;
    }
    return 1;
}

static void instruction_cache_on(void)
{
    /* After a reset the ICACHE invalidates itself and must not be enabled before it is done. */
    if (wait_for(ICACHE_SR, ICACHE_SR_BUSYF, 0u)) {
        set_bits(ICACHE_CR, ICACHE_CR_EN);
    }
}

struct stm32_clocks stm32_start(void)
{
    uint32_t clock_hz = run_at_full_clock() ? FULL_CLOCK_HZ : RESET_CLOCK_HZ;

    instruction_cache_on();
    return (struct stm32_clocks){clock_hz, clock_hz}; /* USART1 runs from PCLK2, undivided */
}

void stm32_connect_console(void)
{
    enable_clock(RCC_AHB2ENR1, RCC_AHB2ENR1_GPIOAEN);
    enable_clock(RCC_APB2ENR, RCC_APB2ENR_USART1EN);
    gpio_alternate(GPIOA, 9, 7);  /* USART1_TX */
    gpio_alternate(GPIOA, 10, 7); /* USART1_RX */
}

void stm32_show(int status)
{
    if (status == 0) {
        enable_clock(RCC_AHB2ENR1, RCC_AHB2ENR1_GPIOCEN);
        gpio_drive_high(GPIOC, 7); /* LD1, green */
    } else {
        set_bits(PWR_SVMCR, PWR_SVMCR_IO2SV);
        enable_clock(RCC_AHB2ENR1, RCC_AHB2ENR1_GPIOGEN);
        gpio_drive_high(GPIOG, 2); /* LD3, red */
    }
}
