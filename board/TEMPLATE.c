/*
 * A template: copy it to board/<name>/board.c and write it anew from the part's reference manual. As it stands it is
 * for a board with an STM32F446RE. Of a board it says what common/stm32.h declares, and nothing else:
 *
 *   stm32_board_name         as printed on the board
 *   stm32_console            which USART the ST-LINK forwards
 *   stm32_start()            power, clocks, flash wait states, caches; the clocks that are reached in the end
 *   stm32_connect_console()  the clock and the pins of that USART
 *   stm32_show()             how a person sees whether the program has passed
 *
 * Name the manual and its chapters here, as the other boards do. Every wait is bounded (wait_for), and every flag that
 * is waited for stands under ready_flags in board.yaml.
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
#define RCC_AHB1ENR_GPIOAEN BIT(0)
#define RCC_APB1ENR REGISTER(0x40023840)
#define RCC_APB1ENR_USART2EN BIT(17)
#define RCC_APB1ENR_PWREN BIT(28)

#define PWR_CR REGISTER(0x40007000)
#define PWR_CR_VOS FIELD(3, 14)
#define PWR_CR_VOS_SCALE1 FIELD(3, 14)
#define PWR_CSR REGISTER(0x40007004)
#define PWR_CSR_VOSRDY BIT(14)

#define FLASH_ACR REGISTER(0x40023C00)
#define FLASH_ACR_LATENCY FIELD(15, 0)
#define FLASH_ACR_PRFTEN BIT(8)
#define FLASH_ACR_ICEN BIT(9)
#define FLASH_ACR_DCEN BIT(10)

#define GPIOA 0x40020000u

#define RESET_CLOCK_HZ 16000000u
#define FULL_CLOCK_HZ 168000000u

const char stm32_board_name[] = "MY-BOARD";
const struct usart stm32_console = USART_AT_F4(0x40004400u); /* USART2 */

/* 1 when the core runs from the PLL; 0 when something did not start: the core is then still on HSI. */
static int run_at_full_clock(void)
{
    /* The scale may be set only while the PLL is off, and takes effect when the PLL runs. */
    enable_clock(RCC_APB1ENR, RCC_APB1ENR_PWREN);
    change_bits(PWR_CR, PWR_CR_VOS, PWR_CR_VOS_SCALE1);

    if (!wait_for(RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return 0;
    }
    *RCC_PLLCFGR = RCC_PLLCFGR_SRC_HSI | RCC_PLLCFGR_M(8) | RCC_PLLCFGR_N(168) | RCC_PLLCFGR_P_2 | RCC_PLLCFGR_Q(7) |
                   RCC_PLLCFGR_R(2);
    set_bits(RCC_CR, RCC_CR_PLLON);
    if (!wait_for(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY) || !wait_for(PWR_CSR, PWR_CSR_VOSRDY, PWR_CSR_VOSRDY)) {
        return 0;
    }

    /* More wait states before more clock. The read makes sure that they are in force. */
    change_bits(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(5, 0));
    if (!wait_for(FLASH_ACR, FLASH_ACR_LATENCY, FIELD(5, 0))) {
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

    set_bits(FLASH_ACR, FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    /* USART2 runs from PCLK1. */
    return full ? (struct stm32_clocks){FULL_CLOCK_HZ, FULL_CLOCK_HZ / 4u}
                : (struct stm32_clocks){RESET_CLOCK_HZ, RESET_CLOCK_HZ};
}

void stm32_connect_console(void)
{
    enable_clock(RCC_AHB1ENR, RCC_AHB1ENR_GPIOAEN);
    enable_clock(RCC_APB1ENR, RCC_APB1ENR_USART2EN);
    gpio_alternate(GPIOA, 2, 7); /* USART2_TX */
    gpio_alternate(GPIOA, 3, 7); /* USART2_RX */
}

void stm32_show(int status)
{
    if (status == 0) {
        gpio_drive_high(GPIOA, 5); /* LD2, green: the only LED of the program; it stays dark on failure */
    }
}
