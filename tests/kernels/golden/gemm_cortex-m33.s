@ conv: convolution of 5x5x8 with 1x1 taps to 5x5x6.
@
@ Windows are read where they are. A window becomes 4 slots, each of them two taps as the halves of
@ a word; four pixels make a block: [slot][pixel]. 7 blocks are gathered at a time. Then, for each
@ pair of output channels, all of them are multiplied with the words of the table.
@ While products are added up: r0-r3 hold a slot of four pixels, r4 reads slots, r5-r8 the sums of
@ the pair's first channel, r9-r12 those of the second, lr the weights of a slot out of s0-s31.
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
	movw r0, #:lower16:layer_table
	movt r0, #:upper16:layer_table
	str.w r0, [sp, #28]
	ldr.w r0, [sp, #4]
	str.w r0, [sp, #32]
	movs r0, #3
	str.w r0, [sp, #24]
.Llayer_gemm_pair:
	ldr.w r0, [sp, #28]             @ Bias, multipliers, addends of both channels into the frame.
	adds r0, #16
	ldmia.w r0, {r1-r6}
	add r0, sp, #60
	stmia.w r0, {r1-r6}
	ldr.w r0, [sp, #28]             @ 4 slots of all blocks.
	ldr.w r4, [sp, #8]
	vldmia r0!, {s0-s3}
	str.w r0, [sp, #28]
	ldr.w r0, [sp, #32]
	str.w r0, [sp, #44]
	ldr.w r0, [sp, #40]
	str.w r0, [sp, #48]
	nop.w
	nop.n
.Llayer_gemm_block_all:
	ldmia.w r4!, {r0-r3}
	vmov lr, s0
	smuad r5, r0, lr
	smuad r6, r1, lr
	smuad r7, r2, lr
	smuad r8, r3, lr
	sxtb16 lr, lr
	smuad r9, r0, lr
	smuad r10, r1, lr
	smuad r11, r2, lr
	smuad r12, r3, lr
	ldmia.w r4!, {r0-r3}
	vmov lr, s1
	smlad r5, r0, lr, r5
	smlad r6, r1, lr, r6
	smlad r7, r2, lr, r7
	smlad r8, r3, lr, r8
	sxtb16 lr, lr
	smlad r9, r0, lr, r9
	smlad r10, r1, lr, r10
	smlad r11, r2, lr, r11
	smlad r12, r3, lr, r12
	ldmia.w r4!, {r0-r3}
	vmov lr, s2
	smlad r5, r0, lr, r5
	smlad r6, r1, lr, r6
	smlad r7, r2, lr, r7
	smlad r8, r3, lr, r8
	sxtb16 lr, lr
	smlad r9, r0, lr, r9
	smlad r10, r1, lr, r10
	smlad r11, r2, lr, r11
	smlad r12, r3, lr, r12
	ldmia.w r4!, {r0-r3}
	vmov lr, s3
	smlad r5, r0, lr, r5
	smlad r6, r1, lr, r6
	smlad r7, r2, lr, r7
	smlad r8, r3, lr, r8
	sxtb16 lr, lr
	smlad r9, r0, lr, r9
	smlad r10, r1, lr, r10
	smlad r11, r2, lr, r11
	smlad r12, r3, lr, r12
	ldr.w r0, [sp, #60]
	ldr.w r1, [sp, #64]
	sub.w r5, r5, r9
	sub.w r6, r6, r10
	sub.w r7, r7, r11
	sub.w r8, r8, r12
	add.w r5, r0, r5, asr #2
	add.w r6, r0, r6, asr #2
	add.w r7, r0, r7, asr #2
	add.w r8, r0, r8, asr #2
	add.w r9, r1, r9, lsl #6
	add.w r10, r1, r10, lsl #6
	add.w r11, r1, r11, lsl #6
	add.w r12, r1, r12, lsl #6
	ldr.w r0, [sp, #68]
	ldr.w r1, [sp, #76]
	smmla r5, r5, r0, r1
	smmla r6, r6, r0, r1
	smmla r7, r7, r0, r1
	smmla r8, r8, r0, r1
	ldr.w r0, [sp, #72]
	ldr.w r1, [sp, #80]
	smmla r9, r9, r0, r1
	smmla r10, r10, r0, r1
	smmla r11, r11, r0, r1
	smmla r12, r12, r0, r1
	ldr.w r2, [sp, #44]
	ssat r5, #8, r5, asr #11
	ssat r6, #8, r6, asr #11
	ssat r7, #8, r7, asr #11
	ssat r8, #8, r8, asr #11
	ssat r9, #8, r9, asr #11
	ssat r10, #8, r10, asr #11
	ssat r11, #8, r11, asr #11
	ssat r12, #8, r12, asr #11
	strb.w r5, [r2, #0]
	strb.w r6, [r2, #6]
	strb.w r7, [r2, #12]
	strb.w r8, [r2, #18]
	strb.w r9, [r2, #1]
	strb.w r10, [r2, #7]
	strb.w r11, [r2, #13]
	strb.w r12, [r2, #19]
	ldr.w r0, [sp, #48]
	adds r2, #24
	str.w r2, [sp, #44]
	cmp r0, #2
	bne.n .Llayer_gemm_not_next_all
	ldr.w r1, [sp, #52]
	sub.w r2, r2, r1
	str.w r2, [sp, #44]
.Llayer_gemm_not_next_all:
	ldr.w r0, [sp, #48]
	subs r0, #1
	str.w r0, [sp, #48]
	bne.w .Llayer_gemm_block_all
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

