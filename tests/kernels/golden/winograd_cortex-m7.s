@ conv: 3x3 convolution of 3x3x4 to 1x1x1 by Winograd's F(4x2, 3x3) in int16: 24 products for 8
@ outputs instead of 72.
@
@ 1x1 tiles are computed at a time. Rows are copied with their padding, transformed downwards into
@ lines and across into blocks of four tiles: for each point its slots, two input channels as the
@ halves of a word for each tile, and behind them room for its sums. Then, for each pair of output
@ channels, the slots are multiplied with the words of the table, and the sums transformed back.
@ While products are added up: r0-r7 hold the sums (tile 0 of the pair's first channel, of its
@ second one, tile 1 of the first, ...), r8 and r9 weights, r10 and r11 two tiles of a slot; r12
@ reads the table, lr slots.
@ Sums come out 48 times as large as those that SMMLA and SSAT requantise by definition.
@
	.syntax unified
	.thumb
	.cfi_sections .debug_frame

	.section .text.layer_winograd, "ax", %progbits
	.p2align 4
	.global layer_winograd
	.type layer_winograd, %function
layer_winograd:
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
	sub sp, sp, #192
	.cfi_def_cfa_offset 228
	mov r4, #0x5050505
	str.w r0, [sp, #0]
	movs r0, #0
	str.w r0, [sp, #12]
	movs r0, #1
	str.w r1, [sp, #4]
	movs r3, #6
	str.w r2, [sp, #8]
	ldr.w r1, [sp, #8]              @ Zero points into the row buffer.
	str.w r0, [sp, #20]
.Llayer_winograd_padding:
	str r4, [r1], #4
	subs r3, #1
	str r4, [r1], #4
	str r4, [r1], #4
	str r4, [r1], #4
	bne.n .Llayer_winograd_padding
	movs r0, #0
	str.w r0, [sp, #16]
	movs r0, #1
	str.w r0, [sp, #24]
	ldr.w r0, [sp, #12]
	str.w r0, [sp, #76]
	ldr.w r8, [sp, #76]             @ Rows of the input into the row buffer.
	movs r2, #4
	ldr.w r0, [sp, #0]
	movw r9, #3
	mul r8, r8, r2
	movs r2, #12
	ldr.w r1, [sp, #8]
	movw r10, #6
	mla r0, r8, r2, r0
	mov r11, #0x5050505
.Llayer_winograd_row:
	cmp r8, r9
	bhs.n .Llayer_winograd_outside
	ldr r4, [r0], #4
	str r4, [r1], #4
	ldr r5, [r0], #4
	str r5, [r1], #4
	ldr r6, [r0], #4
	str r6, [r1], #4
.Llayer_winograd_outside:
	cmp r8, r9
	blo.n .Llayer_winograd_inside
	str r11, [r1], #4
	str r11, [r1], #4
	str r11, [r1], #4
	adds r0, #12
.Llayer_winograd_inside:
	adds r1, #4
	add r8, #1
	subs r10, #1
	bne.n .Llayer_winograd_row
	ldr.w r0, [sp, #8]
	add.w r0, r0, #288
	str.w r0, [sp, #64]
	movs r0, #0
	str.w r0, [sp, #60]
	ldr.w lr, [sp, #8]
	movs r0, #4
	ldr.w r12, [sp, #8]             @ Downwards: each column of four channels.
	add.w lr, lr, #96
	str.w r0, [sp, #48]
	nop.w
	nop.n
.Llayer_winograd_column:
	ldr.w r2, [r12, #32]
	ldr.w r4, [r12, #64]
	ldr.w r0, [r12, #0]
	sxtb16 r2, r2
	sxtb16 r4, r4
	ldr.w r1, [r12, #16]
	sxtb16 r0, r0
	ldr.w r3, [r12, #48]
	ssub16 r6, r4, r2
	ldr.w r5, [r12, #80]
	ssub16 r0, r0, r2
	sadd16 r0, r0, r0
	sadd16 r0, r0, r0
	sxtb16 r1, r1
	sxtb16 r3, r3
	sadd16 r0, r0, r6
	str.w r0, [lr, #0]
	ssub16 r7, r3, r1
	sadd16 r7, r7, r7
	sadd16 r8, r6, r7
	str.w r8, [lr, #96]
	sxtb16 r5, r5
	ssub16 r9, r6, r7
	str.w r9, [lr, #128]
	ssub16 r5, r5, r3
	sadd16 r7, r7, r7
	ssub16 r5, r5, r7
	str.w r5, [lr, #160]
	sadd16 r2, r2, r2
	ldr.w r5, [r12, #80]
	sadd16 r2, r2, r2
	ssub16 r2, r4, r2
	ldr.w r4, [r12, #64]
	sadd16 r1, r1, r1
	sadd16 r1, r1, r1
	ssub16 r1, r3, r1
	ldr.w r3, [r12, #48]
	sadd16 r0, r2, r1
	str.w r0, [lr, #32]
	ssub16 r2, r2, r1
	str.w r2, [lr, #64]
	ldr.w r2, [r12, #32]
	sxtb16 r4, r4, ror #8
	ldr.w r0, [r12, #0]
	sxtb16 r3, r3, ror #8
	sxtb16 r2, r2, ror #8
	ldr.w r1, [r12, #16]
	sxtb16 r0, r0, ror #8
	add r12, #4
	ssub16 r6, r4, r2
	ssub16 r0, r0, r2
	sadd16 r0, r0, r0
	sadd16 r0, r0, r0
	sxtb16 r1, r1, ror #8
	sadd16 r0, r0, r6
	str.w r0, [lr, #4]
	ssub16 r7, r3, r1
	sadd16 r7, r7, r7
	sadd16 r8, r6, r7
	str.w r8, [lr, #100]
	sxtb16 r5, r5, ror #8
	ssub16 r9, r6, r7
	str.w r9, [lr, #132]
	ssub16 r5, r5, r3
	sadd16 r7, r7, r7
	ssub16 r5, r5, r7
	str.w r5, [lr, #164]
	sadd16 r2, r2, r2
	sadd16 r2, r2, r2
	ssub16 r2, r4, r2
	sadd16 r1, r1, r1
	sadd16 r1, r1, r1
	ssub16 r1, r3, r1
	sadd16 r0, r2, r1
	str.w r0, [lr, #36]
	ssub16 r2, r2, r1
	ldr.w r0, [sp, #48]
	str.w r2, [lr, #68]
	subs r0, #1
	add lr, #8
	str.w r0, [sp, #48]
	bne.w .Llayer_winograd_column
	ldr.w r11, [sp, #8]
	movs r0, #1
	ldr.w r12, [sp, #64]            @ Across, tile by tile, into the blocks.
	add.w r11, r11, #96
	str.w r0, [sp, #56]
.Llayer_winograd_tile:
	movw r9, #6
.Llayer_winograd_points:
	ldr.w r0, [r11, #0]
	subs r9, #1
	ldr.w r2, [r11, #16]
	ldr.w r1, [r11, #8]
	ssub16 r4, r0, r2
	sadd16 r5, r1, r2
	ldr.w r3, [r11, #24]
	ssub16 r6, r2, r1
	str.w r4, [r12, #0]
	ssub16 r7, r1, r3
	ldr.w r0, [r11, #4]
	ldr.w r2, [r11, #20]
	str.w r5, [r12, #64]
	ldr.w r1, [r11, #12]
	ssub16 r4, r0, r2
	str.w r6, [r12, #128]
	sadd16 r5, r1, r2
	str.w r7, [r12, #192]
	ldr.w r3, [r11, #28]
	ssub16 r6, r2, r1
	str.w r4, [r12, #16]
	ssub16 r7, r1, r3
	str.w r5, [r12, #80]
	str.w r6, [r12, #144]
	add r11, #8
	str.w r7, [r12, #208]
	add.w r12, r12, #32
	add.w r12, r12, #224
	add.w r11, r11, #24
	bne.n .Llayer_winograd_points
	sub.w r11, r11, #192
	sub.w r12, r12, #1536
	add.w r11, r11, #16
	add.w r12, r12, #4
	ldr.w r0, [sp, #60]
	add r0, #1
	str.w r0, [sp, #60]
	tst r0, #3
	bne.n .Llayer_winograd_tile_same
	add.w r12, r12, #1520
.Llayer_winograd_tile_same:
	ldr.w r0, [sp, #56]
	subs r0, #1
	str.w r0, [sp, #56]
	bne.n .Llayer_winograd_tile
	str.w r12, [sp, #64]
	@ Pair by pair of output channels.
	movw r0, #:lower16:layer_table
	movt r0, #:upper16:layer_table
	str.w r0, [sp, #32]
	movs r0, #0
	str.w r0, [sp, #36]
	movs r0, #1
	str.w r0, [sp, #28]
	ldr.w r0, [sp, #8]
	add.w r0, r0, #288
	str.w r0, [sp, #40]
	@ 24 points of 2 slots.
	movw r8, #24
	str.w r8, [sp, #44]
.Llayer_winograd_point_0:
	ldr.w r12, [sp, #32]
	ldr.w lr, [sp, #40]
	ldr.w r8, [r12, #0]
	ldr.w r9, [r12, #4]
	ldr.w r10, [lr, #0]
	ldr.w r11, [lr, #4]
	smuad r0, r10, r8
	smuad r2, r11, r8
	smuad r1, r10, r9
	ldr.w r10, [lr, #8]
	smuad r3, r11, r9
	ldr.w r11, [lr, #12]
	smuad r4, r10, r8
	smuad r6, r11, r8
	ldr.w r8, [r12, #8]
	smuad r5, r10, r9
	ldr.w r10, [lr, #16]
	smuad r7, r11, r9
	ldr.w r9, [r12, #12]
	ldr.w r11, [lr, #20]
	smlad r0, r10, r8, r0
	smlad r1, r10, r9, r1
	ldr.w r10, [lr, #24]
	smlad r2, r11, r8, r2
	add.w r12, r12, #16
	smlad r3, r11, r9, r3
	ldr.w r11, [lr, #28]
	smlad r4, r10, r8, r4
	smlad r6, r11, r8, r6
	ldr.w r8, [sp, #40]
	smlad r7, r11, r9, r7
	add.w r8, r8, #64
	smlad r5, r10, r9, r5
	addw r11, lr, #32
	str.w r8, [sp, #40]
	ldr.w r8, [sp, #44]
	stmia.w r11, {r0-r7}
	subs r8, #1
	str.w r12, [sp, #32]
	str.w r8, [sp, #44]
	bne.n .Llayer_winograd_point_0
	@ Sums back to outputs: constants of both channels first.
	ldr.w r0, [sp, #32]
	ldmia.w r0!, {r1-r8}
	str.w r0, [sp, #32]
	add r0, sp, #80
	stmia.w r0, {r1-r8}
	movs r0, #0
	str.w r0, [sp, #60]
	movs r0, #1
	str.w r0, [sp, #52]
	ldr.w lr, [sp, #8]
	add.w lr, lr, #288
	ldr.w r12, [sp, #8]
	add.w r12, r12, #1824
	ldr.w r0, [sp, #36]
	add.w r12, r12, r0
	str.w r12, [sp, #68]
	movs r0, #1
	str.w r0, [sp, #56]
.Llayer_winograd_output_0:
	ldr.w r8, [lr, #352]
	ldr.w r9, [lr, #608]
	ldr.w r10, [lr, #864]
	add.w r9, r8, r9
	ldr.w r11, [lr, #1120]
	rsb.w r8, r9, r8, lsl #1
	add.w r11, r10, r11
	ldr.w r0, [lr, #96]
	rsb.w r10, r11, r10, lsl #1
	ldr.w r3, [lr, #1376]
	add.w r0, r0, r9
	add.w r3, r3, r8
	add.w r0, r0, r11
	add.w r2, r9, r11, lsl #2
	add.w r1, r8, r10, lsl #1
	ldr.w r12, [sp, #80]
	add.w r3, r3, r10, lsl #3
	add.w r0, r0, r12
	add.w r1, r1, r12
	add.w r2, r2, r12
	add.w r3, r3, r12
	ldr.w r8, [lr, #416]
	ldr.w r9, [lr, #672]
	ldr.w r10, [lr, #928]
	add.w r9, r8, r9
	ldr.w r11, [lr, #1184]
	rsb.w r8, r9, r8, lsl #1
	ldr.w r12, [lr, #160]
	add.w r11, r10, r11
	add.w r12, r12, r9
	rsb.w r10, r11, r10, lsl #1
	add.w r12, r12, r11
	sub.w r4, r0, r12
	add.w r0, r0, r12
	add.w r12, r9, r11, lsl #2
	ldr.w r9, [lr, #544]
	sub.w r6, r2, r12
	add.w r2, r2, r12
	add.w r12, r8, r10, lsl #1
	ldr.w r11, [lr, #1056]
	sub.w r5, r1, r12
	add.w r1, r1, r12
	ldr.w r12, [lr, #1440]
	add.w r12, r12, r8
	ldr.w r8, [lr, #288]
	add.w r12, r12, r10, lsl #3
	ldr.w r10, [lr, #800]
	sub.w r7, r3, r12
	add.w r3, r3, r12
	add.w r9, r8, r9
	ldr.w r12, [lr, #32]
	add.w r11, r10, r11
	add.w r12, r12, r9
	rsb.w r8, r9, r8, lsl #1
	add.w r12, r12, r11
	rsb.w r10, r11, r10, lsl #1
	add.w r0, r0, r12
	add.w r9, r9, r11, lsl #2
	ldr.w r11, [lr, #1312]
	add.w r12, r8, r10, lsl #1
	add.w r8, r8, r11
	add.w r8, r8, r10, lsl #3
	add.w r2, r2, r9
	add.w r3, r3, r8
	add.w r1, r1, r12
	ldr.w r8, [lr, #480]
	ldr.w r9, [lr, #736]
	ldr.w r10, [lr, #992]
	add.w r9, r8, r9
	ldr.w r11, [lr, #1248]
	rsb.w r8, r9, r8, lsl #1
	ldr.w r12, [lr, #224]
	add.w r11, r10, r11
	add.w r12, r12, r9
	rsb.w r10, r11, r10, lsl #1
	add.w r12, r12, r11
	add.w r9, r9, r11, lsl #2
	sub.w r4, r4, r12
	add.w r12, r8, r10, lsl #1
	ldr.w r11, [lr, #1504]
	sub.w r6, r6, r9
	add.w r8, r8, r11
	ldr.w r9, [sp, #88]
	add.w r8, r8, r10, lsl #3
	ldr.w r10, [sp, #92]
	sub.w r7, r7, r8
	ldr.w r8, [sp, #84]
	and r11, r10, r0, asr #31
	sub.w r5, r5, r12
	sub r11, r9, r11
	smmla r0, r0, r8, r11
	and r11, r10, r4, asr #31
	ldr.w r12, [sp, #68]
	sub r11, r9, r11
	smmla r4, r4, r8, r11
	and r11, r10, r1, asr #31
	add.w lr, lr, #8
	sub r11, r9, r11
	smmla r1, r1, r8, r11
	and r11, r10, r5, asr #31
	sub r11, r9, r11
	smmla r5, r5, r8, r11
	and r11, r10, r2, asr #31
	sub r11, r9, r11
	smmla r2, r2, r8, r11
	and r11, r10, r6, asr #31
	sub r11, r9, r11
	smmla r6, r6, r8, r11
	and r11, r10, r3, asr #31
	sub r11, r9, r11
	smmla r3, r3, r8, r11
	and r11, r10, r7, asr #31
	sub r11, r9, r11
	smmla r7, r7, r8, r11
	ssat r0, #8, r0, asr #11
	strb.w r0, [r12, #0]
	ssat r4, #8, r4, asr #11
	strb.w r4, [r12, #1]
	ssat r1, #8, r1, asr #11
	strb.w r1, [r12, #2]
	ssat r5, #8, r5, asr #11
	strb.w r5, [r12, #3]
	ssat r2, #8, r2, asr #11
	strb.w r2, [r12, #4]
	ssat r6, #8, r6, asr #11
	strb.w r6, [r12, #5]
	ssat r3, #8, r3, asr #11
	strb.w r3, [r12, #6]
	ssat r7, #8, r7, asr #11
	strb.w r7, [r12, #7]
	ldr.w r12, [sp, #68]
	ldr.w r0, [sp, #60]
	add.w r12, r12, #2
	add r0, #1
	str.w r12, [sp, #68]
	str.w r0, [sp, #60]
	tst r0, #3
	bne.n .Llayer_winograd_same_block_0
	add.w lr, lr, #1504
.Llayer_winograd_same_block_0:
	ldr.w r0, [sp, #56]
	subs r0, #1
	str.w r0, [sp, #56]
	bne.w .Llayer_winograd_output_0
	ldr.w r8, [sp, #12]
	movs r2, #4
	ldr.w r1, [sp, #4]
	movw r10, #1
	mul r8, r8, r2
	movs r2, #1
	ldr.w r0, [sp, #8]              @ Outputs without what lies beyond the layer's.
	mla r1, r8, r2, r1
	sub.w r10, r10, r8
	movs r2, #4
	cmp r10, r2
	it gt
	movgt.n r10, r2
	add.w r0, r0, #1824
.Llayer_winograd_crop:
	ldrsb r4, [r0], #1
	strb r4, [r1], #1
	adds r0, #1
	subs r10, #1
	bne.n .Llayer_winograd_crop
	add sp, sp, #192
	.cfi_def_cfa_offset 36
	pop.w {r4-r11, pc}
	.cfi_endproc
	.size layer_winograd, . - layer_winograd

	@ For each pair of output channels and each point: two words for each slot, one of each
	@ channel, input channels in the halves; then bias, multiplier, addend, sign of each
	@ channel. Points (row, column): 0,0 0,1 0,2 0,3 1,0 1,1 1,2 1,3 2,0 2,1 2,2 2,3 3,0 3,1 3,2
	@ 3,3 4,0 4,1 4,2 4,3 5,0 5,1 5,2 5,3.
	.section .rodata.layer_table, "a", %progbits
	.p2align 5
	.type layer_table, %object
layer_table:
	.word 0xfb9805f4, 0xfb9805f4, 0xffac04b0, 0xffac04b0, 0xf9dc0510, 0xf9dc0510, 0x016e04b6, 0x016e04b6
	.word 0xff94ffac, 0xff94ffac, 0x014a01da, 0x014a01da, 0xfdd8fec8, 0xfdd8fec8, 0x030c01e0, 0x030c01e0
	.word 0x0308f7a0, 0x0308f7a0, 0xfa10fcb8, 0xfa10fcb8, 0xfe3cf604, 0xfe3cf604, 0xfe84fd50, 0xfe84fd50
	.word 0x009cfd74, 0x009cfd74, 0xfe6cfd78, 0xfe6cfd78, 0xfbd0fbd8, 0xfbd0fbd8, 0x02e0fe10, 0x02e0fe10
	.word 0x0018fb50, 0x0018fb50, 0x0140fe18, 0x0140fe18, 0x035cfdf4, 0x035cfdf4, 0xfb7cfbe0, 0xfb7cfbe0
	.word 0xfefc0094, 0xfefc0094, 0x02e40288, 0x02e40288, 0x02400338, 0x02400338, 0xfd200050, 0xfd200050
	.word 0xffe8047a, 0xffe8047a, 0x044e0098, 0x044e0098, 0x038e0578, 0x038e0578, 0x018700b1, 0x018700b1
	.word 0x000201ee, 0x000201ee, 0xffd10057, 0xffd10057, 0x03a802ec, 0x03a802ec, 0xfd0a0070, 0xfd0a0070
	.word 0x016002a2, 0x016002a2, 0x00b6ffe8, 0x00b6ffe8, 0x00fe0180, 0x00fe0180, 0x030b0169, 0x030b0169
	.word 0x00d2005e, 0x00d2005e, 0xfd95fdcf, 0xfd95fdcf, 0x0070ff3c, 0x0070ff3c, 0xffeaff50, 0xffeaff50
	.word 0x08400f60, 0x08400f60, 0x0f60fcd0, 0x0f60fcd0, 0x13c80fd8, 0x13c80fd8, 0x0c480198, 0x0c480198
	.word 0x02e80738, 0x02e80738, 0xf6e8f898, 0xf6e8f898, 0x0e7007b0, 0x0e7007b0, 0xf3d0fd60, 0xf3d0fd60
	.word 0xfffb70d0, 0x2e16de37, 0xffffec08, 0x00000010, 0xfffb70d0, 0x2e16de37, 0xffffec08, 0x00000010
	.size layer_table, . - layer_table

