@ conv: convolution of 5x5x8 with 1x1 taps to 5x5x6.
@
@ Windows are read where they are. A window becomes 4 slots, each of them two taps as the halves of
@ a word; four pixels make a block: [slot][pixel]. 7 blocks are gathered at a time. Then, for each
@ pair of output channels, all of them are multiplied with the words of the table.
@ While products are added up: r0-r3 hold the sums of the pair's first channel, r4-r7 those of the
@ second, r8 and r9 the weights of a slot, r10 and r11 two pixels of it; r12 reads the table, lr
@ slots.
@ Sums come out 64 times as large as the layer's; SMMLA and SSAT requantise them.
@
	.syntax unified
	.thumb
	.cfi_sections .debug_frame

	.section .text.layer_gemm, "ax", %progbits
	.p2align 4
	.global layer_gemm
	.type layer_gemm, %function
layer_gemm:
	.cfi_startproc
	push.w {r4-r11, lr}
	.cfi_def_cfa_offset 36
	.cfi_offset r4, -36
	.cfi_offset r5, -32
	.cfi_offset r6, -28
	.cfi_offset r7, -24
	.cfi_offset r8, -20
	.cfi_offset r9, -16
	.cfi_offset r10, -12
	.cfi_offset r11, -8
	.cfi_offset lr, -4
	sub sp, sp, #168
	.cfi_def_cfa_offset 204
	str.w r0, [sp, #0]
	str.w r1, [sp, #4]
	str.w r2, [sp, #8]
	movs r0, #1
	str.w r0, [sp, #12]
	movs r0, #25
	str.w r0, [sp, #16]
	movs r0, #0
	str.w r0, [sp, #20]
	str.w r0, [sp, #52]
	movs r0, #7
	str.w r0, [sp, #40]
	movs r0, #18
	str.w r0, [sp, #52]
	@ Windows into blocks of four pixels.
	ldr.w r1, [sp, #8]
	ldr.w r2, [sp, #16]
	ldr.w r0, [sp, #0]
	ldr.w r3, [sp, #40]
.Llayer_gemm_gather:
	cmp r3, #1
	bne.n .Llayer_gemm_not_last
	ldr.w r4, [sp, #52]
	cmp r4, #0
	beq.n .Llayer_gemm_whole
	movs r2, #4
	subs r0, #24
.Llayer_gemm_whole:
.Llayer_gemm_not_last:
	movw lr, #4
.Llayer_gemm_pixel:
	ldr.w r4, [r0, #0]
	ldr.w r6, [r0, #4]
	sxtb16 r5, r4, ror #8
	sxtb16 r7, r6, ror #8
	sxtb16 r4, r4
	sxtb16 r6, r6
	str.w r4, [r1, #0]
	str.w r5, [r1, #16]
	str.w r6, [r1, #32]
	str.w r7, [r1, #48]
	adds r0, #8
	add r1, #4
	subs r2, #1
	bne.n .Llayer_gemm_same_row
	movs r2, #25
.Llayer_gemm_same_row:
	subs lr, #1
	bne.n .Llayer_gemm_pixel
	adds r1, #48
	subs r3, #1
	bne.n .Llayer_gemm_gather
	str.w r2, [sp, #16]
	str.w r0, [sp, #0]
	@ Pair by pair of output channels.
	movw r8, #:lower16:layer_table
	movt r8, #:upper16:layer_table
	str.w r8, [sp, #28]
	ldr.w r8, [sp, #4]
	str.w r8, [sp, #32]
	movw r8, #3
	str.w r8, [sp, #24]
.Llayer_gemm_pair:
	@ Bias, multipliers, addends of both channels into the frame.
	ldr.w r0, [sp, #28]
	adds r0, #16
	ldmia.w r0, {r1-r6}
	add r0, sp, #60
	stmia.w r0, {r1-r6}
	@ 4 slots of all blocks.
	ldr.w r12, [sp, #28]
	ldr.w lr, [sp, #8]
	ldr.w r8, [sp, #32]
	str.w r8, [sp, #44]
	ldr.w r8, [sp, #40]
	str.w r8, [sp, #48]
	nop.w
.Llayer_gemm_block_all:
	ldr.w r8, [r12, #0]
	ldr.w r10, [lr, #0]
	ldr.w r11, [lr, #4]
	sxtb16 r9, r8
	smuad r0, r10, r8
	smuad r1, r11, r8
	smuad r4, r10, r9
	smuad r5, r11, r9
	ldr.w r10, [lr, #8]
	ldr.w r11, [lr, #12]
	smuad r2, r10, r8
	smuad r3, r11, r8
	smuad r6, r10, r9
	smuad r7, r11, r9
	ldr.w r8, [r12, #4]
	ldr.w r10, [lr, #16]
	ldr.w r11, [lr, #20]
	sxtb16 r9, r8
	smlad r0, r10, r8, r0
	smlad r1, r11, r8, r1
	smlad r4, r10, r9, r4
	smlad r5, r11, r9, r5
	ldr.w r10, [lr, #24]
	ldr.w r11, [lr, #28]
	smlad r2, r10, r8, r2
	smlad r3, r11, r8, r3
	smlad r6, r10, r9, r6
	smlad r7, r11, r9, r7
	ldr.w r8, [r12, #8]
	ldr.w r10, [lr, #32]
	ldr.w r11, [lr, #36]
	sxtb16 r9, r8
	smlad r0, r10, r8, r0
	smlad r1, r11, r8, r1
	smlad r4, r10, r9, r4
	smlad r5, r11, r9, r5
	ldr.w r10, [lr, #40]
	ldr.w r11, [lr, #44]
	smlad r2, r10, r8, r2
	smlad r3, r11, r8, r3
	smlad r6, r10, r9, r6
	smlad r7, r11, r9, r7
	ldr.w r8, [r12, #12]
	ldr.w r10, [lr, #48]
	ldr.w r11, [lr, #52]
	sxtb16 r9, r8
	smlad r0, r10, r8, r0
	smlad r1, r11, r8, r1
	smlad r4, r10, r9, r4
	smlad r5, r11, r9, r5
	ldr.w r10, [lr, #56]
	ldr.w r11, [lr, #60]
	smlad r2, r10, r8, r2
	smlad r3, r11, r8, r3
	smlad r6, r10, r9, r6
	smlad r7, r11, r9, r7
	ldr.w r8, [sp, #60]
	ldr.w r9, [sp, #64]
	sub.w r0, r0, r4
	sub.w r1, r1, r5
	sub.w r2, r2, r6
	sub.w r3, r3, r7
	add.w r0, r8, r0, asr #2
	add.w r1, r8, r1, asr #2
	add.w r2, r8, r2, asr #2
	add.w r3, r8, r3, asr #2
	add.w r4, r9, r4, lsl #6
	add.w r5, r9, r5, lsl #6
	add.w r6, r9, r6, lsl #6
	add.w r7, r9, r7, lsl #6
	ldr.w r8, [sp, #68]
	ldr.w r9, [sp, #76]
	smmla r0, r0, r8, r9
	smmla r1, r1, r8, r9
	smmla r2, r2, r8, r9
	smmla r3, r3, r8, r9
	ldr.w r8, [sp, #72]
	ldr.w r9, [sp, #80]
	smmla r4, r4, r8, r9
	smmla r5, r5, r8, r9
	smmla r6, r6, r8, r9
	smmla r7, r7, r8, r9
	ldr.w r10, [sp, #44]
	ssat r0, #8, r0, asr #11
	ssat r1, #8, r1, asr #11
	ssat r2, #8, r2, asr #11
	ssat r3, #8, r3, asr #11
	ssat r4, #8, r4, asr #11
	ssat r5, #8, r5, asr #11
	ssat r6, #8, r6, asr #11
	ssat r7, #8, r7, asr #11
	strb.w r0, [r10, #0]
	strb.w r1, [r10, #6]
	strb.w r2, [r10, #12]
	strb.w r3, [r10, #18]
	strb.w r4, [r10, #1]
	strb.w r5, [r10, #7]
	strb.w r6, [r10, #13]
	strb.w r7, [r10, #19]
	ldr.w r8, [sp, #48]
	add.w r10, r10, #24
	add.w lr, lr, #64
	str.w r10, [sp, #44]
	cmp r8, #2
	bne.n .Llayer_gemm_not_next_all
	ldr.w r9, [sp, #52]
	sub.w r10, r10, r9
	str.w r10, [sp, #44]
.Llayer_gemm_not_next_all:
	ldr.w r8, [sp, #48]
	ldr.w r12, [sp, #28]
	subs r8, #1
	str.w r8, [sp, #48]
	bne.w .Llayer_gemm_block_all
	add.w r12, r12, #16
	str.w r12, [sp, #28]
	ldr.w r0, [sp, #28]
	adds r0, #24
	str.w r0, [sp, #28]
	ldr.w r0, [sp, #32]
	add r0, #2
	str.w r0, [sp, #32]
	ldr.w r0, [sp, #24]
	subs r0, #1
	str.w r0, [sp, #24]
	bne.w .Llayer_gemm_pair
	add sp, sp, #168
	.cfi_def_cfa_offset 36
	pop.w {r4-r11, pc}
	.cfi_endproc
	.size layer_gemm, . - layer_gemm

	@ For each pair of output channels A and B: one word of 256 * A + B for each slot, two taps
	@ in its halves; then biases, multipliers, addends of both.
	.section .rodata.layer_table, "a", %progbits
	.p2align 5
	.type layer_table, %object
layer_table:
	.word 0xa1d27ee6, 0xf9416428, 0x85d1733b, 0x03733d16, 0x00160ac0, 0x0014f0c0, 0x4b1b90b3, 0x4e5a2d4d
	.word 0xfffc0410, 0xfffc0410, 0x6c2c4d52, 0x885297ef, 0x675a762e, 0xa4722430, 0x000fa100, 0x003aac40
	.word 0x198461b2, 0x0ebe2e6e, 0xfffc0404, 0xfffc0402, 0x4cf828c8, 0xbf5ef1f0, 0x53df1fc5, 0xceecae9f
	.word 0x00017bc0, 0xffe9b4c0, 0x07086cce, 0x2950f6fc, 0xfffc0401, 0xfffc0408
	.size layer_table, . - layer_table

