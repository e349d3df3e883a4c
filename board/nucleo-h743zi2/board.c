/*
 * NUCLEO-H743ZI2: STM32H743ZIT6 of revision V, Cortex-M7, 480 MHz.
 *
 * Clock: HSI, 64 MHz -> PLL1 (/8, *120, /2) -> 480 MHz core, 240 MHz AXI and AHB, 120 MHz APB. The internal oscillator
 * needs no part on the board; its tolerance touches the milliseconds, not the cycles.
 * Power: LDO, VOS1 and then VOS0 by SYSCFG_PWRCR.ODEN. Only chips of revision V and later have VOS0; on an older chip
 * (NUCLEO-H743ZI without the 2) the same program runs at 400 MHz in VOS1.
 * Flash: 4 wait states and WRHIGHFREQ = 2, right for 240 MHz in VOS0 and for 200 MHz in VOS1. Level 1 caches on.
 * Console: USART3 on PD8/PD9, wired to the ST-LINK's virtual COM port.
 *
 * Names and bits below: RM0433, chapters PWR, RCC, embedded Flash memory, SYSCFG, USART, debug infrastructure.
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
#define RCC_D1CFGR REGISTER(0x58024418)
#define RCC_D1CFGR_HPRE_2 FIELD(8, 0)
#define RCC_D1CFGR_PPRE_2 FIELD(4, 4)
#define RCC_D1CFGR_CPRE_1 FIELD(0, 8)
#define RCC_D2CFGR REGISTER(0x5802441C)
#define RCC_D2CFGR_PPRE1_2 FIELD(4, 4)
#define RCC_D2CFGR_PPRE2_2 FIELD(4, 8)
#define RCC_D3CFGR REGISTER(0x58024420)
#define RCC_D3CFGR_PPRE_2 FIELD(4, 4)
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
#define RCC_AHB4ENR REGISTER(0x580244E0)
#define RCC_AHB4ENR_GPIOBEN BIT(1)
#define RCC_AHB4ENR_GPIODEN BIT(3)
#define RCC_APB1LENR REGISTER(0x580244E8)
#define RCC_APB1LENR_USART3EN BIT(18)
#define RCC_APB4ENR REGISTER(0x580244F4)
#define RCC_APB4ENR_SYSCFGEN BIT(1)

#define PWR_CSR1 REGISTER(0x58024804)
#define PWR_CSR1_ACTVOSRDY BIT(13)
#define PWR_CR3 REGISTER(0x5802480C)
#define PWR_CR3_SUPPLY FIELD(7, 0) /* BYPASS, LDOEN, SCUEN */
#define PWR_CR3_LDOEN BIT(1)
#define PWR_D3CR REGISTER(0x58024818)
#define PWR_D3CR_VOSRDY BIT(13)
#define PWR_D3CR_VOS FIELD(3, 14)
#define PWR_D3CR_VOS_1 FIELD(3, 14)

#define SYSCFG_PWRCR REGISTER(0x5800042C)
#define SYSCFG_PWRCR_ODEN BIT(0)

#define FLASH_ACR REGISTER(0x52002000)
#define FLASH_ACR_MASK (FIELD(15, 0) | FIELD(3, 4))
#define FLASH_ACR_FULL_CLOCK (FIELD(4, 0) | FIELD(2, 4)) /* LATENCY, WRHIGHFREQ */

#define DBGMCU_IDC REGISTER(0x5C001000)
#define DBGMCU_IDC_REVISION FIELD(0xFFFF, 16)
#define DBGMCU_IDC_REVISION_V FIELD(0x2003, 16)

/* AXI interconnect, target 7 (AXI SRAM). Before revision V, reads that are issued ahead may return wrong data (erratum
 * "Reading from AXI SRAM may lead to data read corruption", ES0392): issue one at a time there. */
#define AXI_TARG7_FN_MOD REGISTER(0x51008108)
#define AXI_TARG7_FN_MOD_READ_ISS_OVERRIDE BIT(0)

#define GPIOB 0x58020400u
#define GPIOD 0x58020C00u

#define RESET_CLOCK_HZ 64000000u
#define VOS1_CLOCK_HZ 400000000u
#define VOS0_CLOCK_HZ 480000000u

const char stm32_board_name[] = "NUCLEO-H743ZI2";
const struct usart stm32_console = USART_AT(0x40004800u); /* USART3 */

static int has_vos0(void)
{
    return (*DBGMCU_IDC & DBGMCU_IDC_REVISION) >= DBGMCU_IDC_REVISION_V;
}

/* The highest clock that the core's supply carries from now on; the reset clock if the supply did not get ready. */
static uint32_t raise_supply(void)
{
    /* The supply has to be confirmed once after a power-on before VOS may change. */
    change_bits(PWR_CR3, PWR_CR3_SUPPLY, PWR_CR3_LDOEN);
    if (!wait_for(PWR_CSR1, PWR_CSR1_ACTVOSRDY, PWR_CSR1_ACTVOSRDY)) {
        return RESET_CLOCK_HZ;
    }
    change_bits(PWR_D3CR, PWR_D3CR_VOS, PWR_D3CR_VOS_1);
    if (!wait_for(PWR_D3CR, PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY)) {
        return RESET_CLOCK_HZ;
    }
    if (!has_vos0()) {
        return VOS1_CLOCK_HZ;
    }
    enable_clock(RCC_APB4ENR, RCC_APB4ENR_SYSCFGEN);
    set_bits(SYSCFG_PWRCR, SYSCFG_PWRCR_ODEN);
    (void)*SYSCFG_PWRCR; /* the write has arrived before PWR is asked */
    return wait_for(PWR_D3CR, PWR_D3CR_VOSRDY, PWR_D3CR_VOSRDY) ? VOS0_CLOCK_HZ : RESET_CLOCK_HZ;
}

/* 1 when the core runs from the PLL at `target_hz`; 0 when something did not start: the core is then still on HSI. */
static int run_from_pll(uint32_t target_hz)
{
    uint32_t factor = target_hz / 4000000u; /* VCO = 8 MHz * factor, core = VCO / 2 */

    if (!wait_for(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    change_bits(RCC_PLLCKSELR, RCC_PLLCKSELR_SRC | RCC_PLLCKSELR_M1, RCC_PLLCKSELR_SRC_HSI | RCC_PLLCKSELR_M1_BY(8));
    change_bits(RCC_PLLCFGR, RCC_PLLCFGR_PLL1, RCC_PLLCFGR_VCO_WIDE | RCC_PLLCFGR_RGE_8_TO_16_MHZ | RCC_PLLCFGR_P1EN);
    *RCC_PLL1DIVR = RCC_PLL1DIVR_N(factor) | RCC_PLL1DIVR_P(2) | RCC_PLL1DIVR_Q(2) | RCC_PLL1DIVR_R(2);
    set_bits(RCC_CR, RCC_CR_PLL1ON);
    if (!wait_for(RCC_CR, RCC_CR_PLL1RDY, RCC_CR_PLL1RDY)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_MASK, FLASH_ACR_FULL_CLOCK);
    if (!wait_for(FLASH_ACR, FLASH_ACR_MASK, FLASH_ACR_FULL_CLOCK)) {
        return 0;
    }

    *RCC_D1CFGR = RCC_D1CFGR_CPRE_1 | RCC_D1CFGR_HPRE_2 | RCC_D1CFGR_PPRE_2;
    *RCC_D2CFGR = RCC_D2CFGR_PPRE1_2 | RCC_D2CFGR_PPRE2_2;
    *RCC_D3CFGR = RCC_D3CFGR_PPRE_2;
    change_bits(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL1);
    if (!wait_for(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL1)) {
        clear_bits(RCC_CFGR, RCC_CFGR_SW); /* back to HSI, undivided */
        *RCC_D1CFGR = 0u;
        *RCC_D2CFGR = 0u;
        *RCC_D3CFGR = 0u;
        return 0;
    }
    return 1;
}

struct stm32_clocks stm32_start(void)
{
    if (!has_vos0()) {
        set_bits(AXI_TARG7_FN_MOD, AXI_TARG7_FN_MOD_READ_ISS_OVERRIDE);
    }
    uint32_t target_hz = raise_supply();
    int full = target_hz != RESET_CLOCK_HZ && run_from_pll(target_hz);

    cortex_m7_caches_on();
    cycle_counter_unlock();
    /* USART3 runs from PCLK1: HPRE / 2, D2PPRE1 / 2. */
    return full ? (struct stm32_clocks){target_hz, target_hz / 4u}
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
