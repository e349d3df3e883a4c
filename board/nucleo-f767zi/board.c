/*
 * NUCLEO-F767ZI: STM32F767ZIT6, Cortex-M7, 216 MHz.
 *
 * Clock: HSI, 16 MHz -> PLL (/8, *216, /2) -> 216 MHz core, 54 MHz APB1, 108 MHz APB2. The internal oscillator needs no
 * part on the board; its tolerance touches the milliseconds, not the cycles.
 * Power: voltage scale 1 with over-drive, which RM0410 asks for above 180 MHz.
 * Flash: 7 wait states at 2.7 to 3.6 V above 210 MHz. The program is linked to the AXI address of the flash
 * (0x08000000), where the level 1 caches serve it; prefetch and ART accelerator serve the ITCM address (0x00200000) and
 * are on for code that is placed there.
 * Console: USART3 on PD8/PD9, wired to the ST-LINK's virtual COM port.
 *
 * Names and bits below: RM0410, chapters PWR, RCC, embedded Flash memory, USART.
 */
#include "stm32.h"

#include "cortex_m.h"
#include "gpio.h"
#include "registers.h"
#include "usart.h"

#define RCC_CR REGISTER(0x40023800)
#define RCC_CR_HSIRDY BIT(1)
#define RCC_CR_PLLON BIT(24)
#define RCC_CR_PLLRDY BIT(25)
#define RCC_PLLCFGR REGISTER(0x40023804)
#define RCC_PLLCFGR_M(divider) FIELD(divider, 0)
#define RCC_PLLCFGR_N(factor) FIELD(factor, 6)
#define RCC_PLLCFGR_P_2 FIELD(0, 16)
#define RCC_PLLCFGR_SRC_HSI FIELD(0, 22)
#define RCC_PLLCFGR_Q(divider) FIELD(divider, 24)
#define RCC_PLLCFGR_R(divider) FIELD(divider, 28)
#define RCC_CFGR REGISTER(0x40023808)
#define RCC_CFGR_SW FIELD(3, 0)
#define RCC_CFGR_SW_PLL FIELD(2, 0)
#define RCC_CFGR_SWS FIELD(3, 2)
#define RCC_CFGR_SWS_PLL FIELD(2, 2)
#define RCC_CFGR_PPRE1 FIELD(7, 10)
#define RCC_CFGR_PPRE1_4 FIELD(5, 10)
#define RCC_CFGR_PPRE2 FIELD(7, 13)
#define RCC_CFGR_PPRE2_2 FIELD(4, 13)
#define RCC_AHB1ENR REGISTER(0x40023830)
#define RCC_AHB1ENR_GPIOBEN BIT(1)
#define RCC_AHB1ENR_GPIODEN BIT(3)
#define RCC_APB1ENR REGISTER(0x40023840)
#define RCC_APB1ENR_USART3EN BIT(18)
#define RCC_APB1ENR_PWREN BIT(28)

#define PWR_CR1 REGISTER(0x40007000)
#define PWR_CR1_VOS FIELD(3, 14)
#define PWR_CR1_VOS_SCALE1 FIELD(3, 14)
#define PWR_CR1_ODEN BIT(16)
#define PWR_CR1_ODSWEN BIT(17)
#define PWR_CSR1 REGISTER(0x40007004)
#define PWR_CSR1_VOSRDY BIT(14)
#define PWR_CSR1_ODRDY BIT(16)
#define PWR_CSR1_ODSWRDY BIT(17)

#define FLASH_ACR REGISTER(0x40023C00)
#define FLASH_ACR_LATENCY FIELD(15, 0)
#define FLASH_ACR_PRFTEN BIT(8)
#define FLASH_ACR_ARTEN BIT(9)

#define GPIOB 0x40020400u
#define GPIOD 0x40020C00u

#define RESET_CLOCK_HZ 16000000u
#define FULL_CLOCK_HZ 216000000u

const char stm32_board_name[] = "NUCLEO-F767ZI";
const struct usart stm32_console = USART_AT(0x40004800u); /* USART3 */

/* 1 when the core runs from the PLL; 0 when something did not start: the core is then still on HSI. */
static int run_at_full_clock(void)
{
    /* The scale may be set only while the PLL is off, and takes effect when the PLL runs. */
    enable_clock(RCC_APB1ENR, RCC_APB1ENR_PWREN);
    change_bits(PWR_CR1, PWR_CR1_VOS, PWR_CR1_VOS_SCALE1);

    if (!wait_for(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    *RCC_PLLCFGR = RCC_PLLCFGR_SRC_HSI | RCC_PLLCFGR_M(8) | RCC_PLLCFGR_N(216) | RCC_PLLCFGR_P_2 | RCC_PLLCFGR_Q(9) |
                   RCC_PLLCFGR_R(2);
    set_bits(RCC_CR, RCC_CR_PLLON);

    /* Over-drive: first the regulator, then the switch to it, while the core still runs from HSI. */
    set_bits(PWR_CR1, PWR_CR1_ODEN);
    if (!wait_for(PWR_CSR1, PWR_CSR1_ODRDY, PWR_CSR1_ODRDY)) {
        return 0;
    }
    set_bits(PWR_CR1, PWR_CR1_ODSWEN);
    if (!wait_for(PWR_CSR1, PWR_CSR1_ODSWRDY, PWR_CSR1_ODSWRDY)) {
        return 0;
    }

    if (!wait_for(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY) || !wait_for(PWR_CSR1, PWR_CSR1_VOSRDY, PWR_CSR1_VOSRDY)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(7, 0));
    if (!wait_for(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(7, 0))) {
        return 0;
    }

    change_bits(RCC_CFGR, RCC_CFGR_PPRE1 | RCC_CFGR_PPRE2, RCC_CFGR_PPRE1_4 | RCC_CFGR_PPRE2_2);
    change_bits(RCC_CFGR, RCC_CFGR_SW, RCC_CFGR_SW_PLL);
    if (!wait_for(RCC_CFGR, RCC_CFGR_SWS, RCC_CFGR_SWS_PLL)) {
        clear_bits(RCC_CFGR, RCC_CFGR_SW | RCC_CFGR_PPRE1 | RCC_CFGR_PPRE2); /* back to HSI, undivided */
        return 0;
    }
    return 1;
}

struct stm32_clocks stm32_start(void)
{
    int full = run_at_full_clock();

    set_bits(FLASH_ACR, FLASH_ACR_PRFTEN | FLASH_ACR_ARTEN);
    cortex_m7_caches_on();
    cycle_counter_unlock();
    /* USART3 runs from PCLK1. */
    return full ? (struct stm32_clocks){FULL_CLOCK_HZ, FULL_CLOCK_HZ / 4u}
                : (struct stm32_clocks){RESET_CLOCK_HZ, RESET_CLOCK_HZ};
}

void stm32_connect_console(void)
{
    enable_clock(RCC_AHB1ENR, RCC_AHB1ENR_GPIODEN);
    enable_clock(RCC_APB1ENR, RCC_APB1ENR_USART3EN);
    gpio_alternate(GPIOD, 8, 7); /* USART3_TX */
    gpio_alternate(GPIOD, 9, 7); /* USART3_RX */
}

void stm32_show(int status)
{
    enable_clock(RCC_AHB1ENR, RCC_AHB1ENR_GPIOBEN);
    gpio_drive_high(GPIOB, status == 0 ? 0u : 14u); /* LD1, green, or LD3, red */
}
