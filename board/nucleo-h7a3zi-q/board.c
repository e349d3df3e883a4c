/*
 * NUCLEO-H7A3ZI-Q: STM32H7A3ZIT6Q, Cortex-M7, 280 MHz.
 *
 * Clock: HSI, 64 MHz -> PLL1 (/8, *70, /2) -> 280 MHz core, AXI and AHB, 140 MHz APB. The internal oscillator needs no
 * part on the board; its tolerance touches the milliseconds, not the cycles.
 * Power: the SMPS supplies the core directly, as the board is wired; VOS0.
 * Flash: 6 wait states and WRHIGHFREQ = 3 in VOS0 above 264 MHz. Level 1 caches on.
 * Console: USART3 on PD8/PD9, wired to the ST-LINK's virtual COM port.
 *
 * Names and bits below: RM0455, chapters PWR, RCC, embedded Flash memory, USART.
 */
#include "stm32.h"

#include "cortex_m.h"
#include "gpio.h"
#include "registers.h"
#include "usart.h"

#define RCC_CR REGISTER(0x58024400)
#define RCC_CR_HSIRDY BIT(2)
#define RCC_CR_PLL1ON BIT(24)
#define RCC_CR_PLL1RDY BIT(25)
#define RCC_CFGR REGISTER(0x58024410)
#define RCC_CFGR_SW FIELD(7, 0)
#define RCC_CFGR_SW_PLL1 FIELD(3, 0)
#define RCC_CFGR_SWS FIELD(7, 3)
#define RCC_CFGR_SWS_PLL1 FIELD(3, 3)
#define RCC_CDCFGR1 REGISTER(0x58024418)
#define RCC_CDCFGR1_HPRE_1 FIELD(0, 0)
#define RCC_CDCFGR1_PPRE_2 FIELD(4, 4)
#define RCC_CDCFGR1_CPRE_1 FIELD(0, 8)
#define RCC_CDCFGR2 REGISTER(0x5802441C)
#define RCC_CDCFGR2_PPRE1_2 FIELD(4, 4)
#define RCC_CDCFGR2_PPRE2_2 FIELD(4, 8)
#define RCC_SRDCFGR REGISTER(0x58024420)
#define RCC_SRDCFGR_PPRE_2 FIELD(4, 4)
#define RCC_PLLCKSELR REGISTER(0x58024428)
#define RCC_PLLCKSELR_SRC FIELD(3, 0)
#define RCC_PLLCKSELR_SRC_HSI FIELD(0, 0)
#define RCC_PLLCKSELR_M1 FIELD(63, 4)
#define RCC_PLLCKSELR_M1_BY(divider) FIELD(divider, 4)
#define RCC_PLLCFGR REGISTER(0x5802442C)
#define RCC_PLLCFGR_PLL1 (FIELD(15, 0) | FIELD(7, 16)) /* all fields of PLL1 */
#define RCC_PLLCFGR_VCO_WIDE FIELD(0, 1)
#define RCC_PLLCFGR_RGE_8_TO_16_MHZ FIELD(3, 2)
#define RCC_PLLCFGR_P1EN BIT(16)
#define RCC_PLL1DIVR REGISTER(0x58024430)
#define RCC_PLL1DIVR_N(factor) FIELD((factor) - 1, 0)
#define RCC_PLL1DIVR_P(divider) FIELD((divider) - 1, 9)
#define RCC_PLL1DIVR_Q(divider) FIELD((divider) - 1, 16)
#define RCC_PLL1DIVR_R(divider) FIELD((divider) - 1, 24)
#define RCC_AHB4ENR REGISTER(0x58024540)
#define RCC_AHB4ENR_GPIOBEN BIT(1)
#define RCC_AHB4ENR_GPIODEN BIT(3)
#define RCC_APB1LENR REGISTER(0x58024548)
#define RCC_APB1LENR_USART3EN BIT(18)

#define PWR_CSR1 REGISTER(0x58024804)
#define PWR_CSR1_ACTVOSRDY BIT(13)
#define PWR_CR3 REGISTER(0x5802480C)
#define PWR_CR3_SUPPLY FIELD(7, 0) /* BYPASS, LDOEN, SMPSEN */
#define PWR_CR3_SMPSEN BIT(2)
#define PWR_SRDCR REGISTER(0x58024818)
#define PWR_SRDCR_VOSRDY BIT(13)
#define PWR_SRDCR_VOS FIELD(3, 14)
#define PWR_SRDCR_VOS_0 FIELD(3, 14)

#define FLASH_ACR REGISTER(0x52002000)
#define FLASH_ACR_MASK (FIELD(15, 0) | FIELD(3, 4))
#define FLASH_ACR_FULL_CLOCK (FIELD(6, 0) | FIELD(3, 4)) /* LATENCY, WRHIGHFREQ */

#define GPIOB 0x58020400u
#define GPIOD 0x58020C00u

#define RESET_CLOCK_HZ 64000000u
#define FULL_CLOCK_HZ 280000000u

const char stm32_board_name[] = "NUCLEO-H7A3ZI-Q";
const struct usart stm32_console = USART_AT(0x40004800u); /* USART3 */

/* 1 when the core runs from the PLL; 0 when something did not start: the core is then still on HSI. */
static int run_at_full_clock(void)
{
    /* The supply has to be named once after a power-on before VOS may change. */
    change_bits(PWR_CR3, PWR_CR3_SUPPLY, PWR_CR3_SMPSEN);
    if (!wait_for(PWR_CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY)) {
        return 0;
    }
    change_bits(PWR_SRDCR, PWR_SRDCR_VOS, PWR_SRDCR_VOS_0);
    if (!wait_for(PWR_SRDCR, PWR_SRDCR_VOSRDY, PWR_SRDCR_VOSRDY)) {
        return 0;
    }

    if (!wait_for(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    change_bits(RCC_PLLCKSELR, RCC_PLLCKSELR_SRC | RCC_PLLCKSELR_M1, RCC_PLLCKSELR_SRC_HSI | RCC_PLLCKSELR_M1_BY(8));
    change_bits(RCC_PLLCFGR, RCC_PLLCFGR_PLL1, RCC_PLLCFGR_VCO_WIDE | RCC_PLLCFGR_RGE_8_TO_16_MHZ | RCC_PLLCFGR_P1EN);
    *RCC_PLL1DIVR = RCC_PLL1DIVR_N(70) | RCC_PLL1DIVR_P(2) | RCC_PLL1DIVR_Q(2) | RCC_PLL1DIVR_R(2);
    set_bits(RCC_CR, RCC_CR_PLL1ON);
    if (!wait_for(RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_MASK, FLASH_ACR_FULL_CLOCK);
    if (!wait_for(FLASH_ACR, FLASH_ACR_MASK, FLASH_ACR_FULL_CLOCK)) {
        return 0;
    }

    *RCC_CDCFGR1 = RCC_CDCFGR1_CPRE_1 | RCC_CDCFGR1_HPRE_1 | RCC_CDCFGR1_PPRE_2;
    *RCC_CDCFGR2 = RCC_CDCFGR2_PPRE1_2 | RCC_CDCFGR2_PPRE2_2;
    *RCC_SRDCFGR = RCC_SRDCFGR_PPRE_2;
    change_bits(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL1);
    if (!wait_for(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL1)) {
        clear_bits(RCC_CFGR, RCC_CFGR_SW); /* back to HSI, undivided */
        *RCC_CDCFGR1 = 0u;
        *RCC_CDCFGR2 = 0u;
        *RCC_SRDCFGR = 0u;
        return 0;
    }
    return 1;
}

struct stm32_clocks stm32_start(void)
{
    int full = run_at_full_clock();

    cortex_m7_caches_on();
    cycle_counter_unlock();
    /* USART3 runs from PCLK1. */
    return full ? (struct stm32_clocks){FULL_CLOCK_HZ, FULL_CLOCK_HZ / 2u}
                : (struct stm32_clocks){RESET_CLOCK_HZ, RESET_CLOCK_HZ};
}

void stm32_connect_console(void)
{
    enable_clock(RCC_AHB4ENR, RCC_AHB4ENR_GPIODEN);
    enable_clock(RCC_APB1LENR, RCC_APB1LENR_USART3EN);
    gpio_alternate(GPIOD, 8, 7); /* USART3_TX */
    gpio_alternate(GPIOD, 9, 7); /* USART3_RX */
}

void stm32_show(int status)
{
    enable_clock(RCC_AHB4ENR, RCC_AHB4ENR_GPIOBEN);
    gpio_drive_high(GPIOB, status == 0 ? 0u : 14u); /* LD1, green, or LD3, red */
}
