	.section .text.phase_0, "ax", %progbits
	.p2align 4
	.global phase_0
	.type phase_0, %function
phase_0:
	.cfi_startproc
	@ Output channels 0, 1.
	push {r4-r11, lr}
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
	sub sp, #16
	.cfi_def_cfa_offset 52
	str r1, [sp, #0]
	str r2, [sp, #12]
	movs r1, #4
	str r1, [sp, #8]
.Lphase_0_row:
	movs r1, #2
	str r1, [sp, #4]
.Lphase_0_block:
	@ The bias, in the last accumulator of each channel.
	movw r9, #33536
	movt r9, #65534
	movw lr, #56166
	movt lr, #65534
	@ row 0, column 0, channels 0 1
	ldr r2, [r0, #0]
	ldr r3, [r0, #16]
	ldr r4, [r0, #32]
	ldr r5, [r0, #48]
	movw r1, #65510
	movt r1, #152
	smlad r6, r2, r1, r9
	smlad r7, r3, r1, r9
	smlad r8, r4, r1, r9
	smlad r9, r5, r1, r9
	movw r1, #128
	movt r1, #65502
	smlad r10, r2, r1, lr
	smlad r11, r3, r1, lr
	smlad r12, r4, r1, lr
	smlad lr, r5, r1, lr
	@ row 0, column 2, channels 0 1
	ldr r2, [r0, #64]
	movs r1, #96
	smlatb r6, r3, r1, r6
	smlatb r7, r4, r1, r7
	smlatb r8, r5, r1, r8
	smlatb r9, r2, r1, r9
	movw r1, #65390
	smlabb r10, r3, r1, r10
	smlabb r11, r4, r1, r11
	smlabb r12, r5, r1, r12
	smlabb lr, r2, r1, lr
	@ row 0, column 0, channels 2 3
	ldr r5, [r0, #4]
	ldr r4, [r0, #20]
	ldr r3, [r0, #36]
	ldr r2, [r0, #52]
	movs r1, #122
	smlatb r6, r5, r1, r6
	smlatb r7, r4, r1, r7
	smlatb r8, r3, r1, r8
	smlatb r9, r2, r1, r9
	movw r1, #65292
	smlabb r10, r5, r1, r10
	smlabb r11, r4, r1, r11
	smlabb r12, r3, r1, r12
	smlabb lr, r2, r1, lr
	@ row 0, column 1, channels 2 3
	ldr r5, [r0, #12]
	ldr r4, [r0, #28]
	ldr r3, [r0, #44]
	ldr r2, [r0, #60]
	movw r1, #65452
	smlabb r6, r5, r1, r6
	smlabb r7, r4, r1, r7
	smlabb r8, r3, r1, r8
	smlabb r9, r2, r1, r9
	movs r1, #156
	smlabb r10, r5, r1, r10
	smlabb r11, r4, r1, r11
	smlabb r12, r3, r1, r12
	smlabb lr, r2, r1, lr
	@ row 0, column 2, channels 2 3
	ldr r5, [r0, #20]
	ldr r4, [r0, #36]
	ldr r3, [r0, #52]
	ldr r2, [r0, #68]
	movw r1, #65524
	movt r1, #65334
	smlad r6, r5, r1, r6
	smlad r7, r4, r1, r7
	smlad r8, r3, r1, r8
	smlad r9, r2, r1, r9
	movw r1, #65476
	smlatb r10, r5, r1, r10
	smlatb r11, r4, r1, r11
	smlatb r12, r3, r1, r12
	smlatb lr, r2, r1, lr
	@ The sums for the next phase.
	ldr r1, [sp, #12]
	stmia.w r1!, {r6-r12, lr}
	str r1, [sp, #12]
	@ The next block of the row.
	ldr r2, [sp, #4]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #4]
	beq.n .Lphase_0_block_end
	adds r0, #64
	adds r1, #8
	@ The last turn is moved back to the edge.
	cmp r2, #1
	bne.n .Lphase_0_block_go
	subs r0, #48
	subs r1, #6
.Lphase_0_block_go:
	str r1, [sp, #0]
	b.w .Lphase_0_block
.Lphase_0_block_end:
	@ The next row of blocks.
	ldr r2, [sp, #8]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #8]
	beq.n .Lphase_0_row_end
	adds r0, #160
	adds r1, #8
	str r1, [sp, #0]
	b.w .Lphase_0_row
.Lphase_0_row_end:
	add sp, #16
	.cfi_def_cfa_offset 36
	pop {r4-r11, pc}
	.cfi_endproc
	.size phase_0, . - phase_0

	.section .text.phase_1, "ax", %progbits
	.p2align 4
	.global phase_1
	.type phase_1, %function
phase_1:
	.cfi_startproc
	@ Output channels 0, 1.
	push {r4-r11, lr}
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
	sub sp, #16
	.cfi_def_cfa_offset 52
	str r1, [sp, #0]
	str r2, [sp, #12]
	movs r1, #4
	str r1, [sp, #8]
.Lphase_1_row:
	movs r1, #2
	str r1, [sp, #4]
.Lphase_1_block:
	@ The sums of the phase before.
	ldr r1, [sp, #12]
	ldmia.w r1, {r6-r12, lr}
	@ row 1, column 0, channels 0 1
	ldr r2, [r0, #88]
	ldr r3, [r0, #104]
	ldr r4, [r0, #120]
	ldr r5, [r0, #136]
	movw r1, #65444
	smlabb r6, r2, r1, r6
	smlabb r7, r3, r1, r7
	smlabb r8, r4, r1, r8
	smlabb r9, r5, r1, r9
	movw r1, #65358
	movt r1, #65346
	smlad r10, r2, r1, r10
	smlad r11, r3, r1, r11
	smlad r12, r4, r1, r12
	smlad lr, r5, r1, lr
	@ row 1, column 1, channels 0 1
	ldr r2, [r0, #96]
	ldr r5, [r0, #112]
	ldr r4, [r0, #128]
	ldr r3, [r0, #144]
	movs r1, #34
	smlatb r6, r2, r1, r6
	smlatb r7, r5, r1, r7
	smlatb r8, r4, r1, r8
	smlatb r9, r3, r1, r9
	movw r1, #65424
	movt r1, #65376
	smlad r10, r2, r1, r10
	smlad r11, r5, r1, r11
	smlad r12, r4, r1, r12
	smlad lr, r3, r1, lr
	@ row 1, column 2, channels 0 1
	ldr r5, [r0, #104]
	ldr r4, [r0, #120]
	ldr r3, [r0, #136]
	ldr r2, [r0, #152]
	movw r1, #65456
	smlatb r6, r5, r1, r6
	smlatb r7, r4, r1, r7
	smlatb r8, r3, r1, r8
	smlatb r9, r2, r1, r9
	movw r1, #65362
	smlabb r10, r5, r1, r10
	smlabb r11, r4, r1, r11
	smlabb r12, r3, r1, r12
	smlabb lr, r2, r1, lr
	@ row 1, column 0, channels 2 3
	ldr r5, [r0, #92]
	ldr r4, [r0, #108]
	ldr r3, [r0, #124]
	ldr r2, [r0, #140]
	movw r1, #65386
	smlabb r6, r5, r1, r6
	smlabb r7, r4, r1, r7
	smlabb r8, r3, r1, r8
	smlabb r9, r2, r1, r9
	movw r1, #65438
	movt r1, #212
	smlad r10, r5, r1, r10
	smlad r11, r4, r1, r11
	smlad r12, r3, r1, r12
	smlad lr, r2, r1, lr
	@ row 1, column 1, channels 2 3
	ldr r5, [r0, #100]
	ldr r4, [r0, #116]
	ldr r3, [r0, #132]
	ldr r2, [r0, #148]
	movw r1, #65402
	movt r1, #65514
	smlad r6, r5, r1, r6
	smlad r7, r4, r1, r7
	smlad r8, r3, r1, r8
	smlad r9, r2, r1, r9
	@ row 1, column 2, channels 2 3
	ldr r5, [r0, #108]
	ldr r4, [r0, #124]
	ldr r3, [r0, #140]
	ldr r2, [r0, #156]
	movs r1, #70
	smlatb r10, r5, r1, r10
	smlatb r11, r4, r1, r11
	smlatb r12, r3, r1, r12
	smlatb lr, r2, r1, lr
	@ The sums for the next phase.
	ldr r1, [sp, #12]
	stmia.w r1!, {r6-r12, lr}
	str r1, [sp, #12]
	@ The next block of the row.
	ldr r2, [sp, #4]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #4]
	beq.n .Lphase_1_block_end
	adds r0, #64
	adds r1, #8
	@ The last turn is moved back to the edge.
	cmp r2, #1
	bne.n .Lphase_1_block_go
	subs r0, #48
	subs r1, #6
.Lphase_1_block_go:
	str r1, [sp, #0]
	b.w .Lphase_1_block
.Lphase_1_block_end:
	@ The next row of blocks.
	ldr r2, [sp, #8]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #8]
	beq.n .Lphase_1_row_end
	adds r0, #160
	adds r1, #8
	str r1, [sp, #0]
	b.w .Lphase_1_row
.Lphase_1_row_end:
	add sp, #16
	.cfi_def_cfa_offset 36
	pop {r4-r11, pc}
	.cfi_endproc
	.size phase_1, . - phase_1

	.section .text.phase_2, "ax", %progbits
	.p2align 4
	.global phase_2
	.type phase_2, %function
phase_2:
	.cfi_startproc
	@ Output channels 0, 1.
	push {r4-r11, lr}
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
	sub sp, #16
	.cfi_def_cfa_offset 52
	str r1, [sp, #0]
	str r2, [sp, #12]
	movs r1, #4
	str r1, [sp, #8]
.Lphase_2_row:
	movs r1, #2
	str r1, [sp, #4]
.Lphase_2_block:
	@ The sums of the phase before.
	ldr r1, [sp, #12]
	ldmia.w r1!, {r6-r12, lr}
	str r1, [sp, #12]
	@ row 2, column 0, channels 0 1
	ldr r2, [r0, #176]
	ldr r3, [r0, #192]
	ldr r4, [r0, #208]
	ldr r5, [r0, #224]
	movw r1, #65476
	smlabb r6, r2, r1, r6
	smlabb r7, r3, r1, r7
	smlabb r8, r4, r1, r8
	smlabb r9, r5, r1, r9
	movw r1, #65474
	movt r1, #246
	smlad r10, r2, r1, r10
	smlad r11, r3, r1, r11
	smlad r12, r4, r1, r12
	smlad lr, r5, r1, lr
	@ row 2, column 1, channels 0 1
	ldr r2, [r0, #184]
	ldr r5, [r0, #200]
	ldr r4, [r0, #216]
	ldr r3, [r0, #232]
	movs r1, #94
	smlabb r6, r2, r1, r6
	smlabb r7, r5, r1, r7
	smlabb r8, r4, r1, r8
	smlabb r9, r3, r1, r9
	@ row 2, column 2, channels 0 1
	ldr r5, [r0, #192]
	ldr r4, [r0, #208]
	ldr r3, [r0, #224]
	ldr r2, [r0, #240]
	movw r1, #65510
	smlatb r6, r5, r1, r6
	smlatb r7, r4, r1, r7
	smlatb r8, r3, r1, r8
	smlatb r9, r2, r1, r9
	movs r1, #158
	smlabb r10, r5, r1, r10
	smlabb r11, r4, r1, r11
	smlabb r12, r3, r1, r12
	smlabb lr, r2, r1, lr
	@ row 2, column 1, channels 2 3
	ldr r5, [r0, #188]
	ldr r4, [r0, #204]
	ldr r3, [r0, #220]
	ldr r2, [r0, #236]
	movw r1, #65396
	smlabb r6, r5, r1, r6
	smlabb r7, r4, r1, r7
	smlabb r8, r3, r1, r8
	smlabb r9, r2, r1, r9
	movw r1, #65326
	smlatb r10, r5, r1, r10
	smlatb r11, r4, r1, r11
	smlatb r12, r3, r1, r12
	smlatb lr, r2, r1, lr
	@ row 2, column 2, channels 2 3
	ldr r5, [r0, #196]
	ldr r4, [r0, #212]
	ldr r3, [r0, #228]
	ldr r2, [r0, #244]
	movw r1, #65298
	smlatb r6, r5, r1, r6
	smlatb r7, r4, r1, r7
	smlatb r8, r3, r1, r8
	smlatb r9, r2, r1, r9
	movw r1, #6
	movt r1, #120
	smlad r10, r5, r1, r10
	smlad r11, r4, r1, r11
	smlad r12, r3, r1, r12
	smlad lr, r2, r1, lr
	@ Requantise.
	ldr r1, [sp, #0]
	@ Output channel 0.
	movw r2, #18831
	movt r2, #19378
	movw r3, #512
	movt r3, #65534
	add r4, r3, r6, asr #31
	smmlar r6, r6, r2, r4
	ssat r6, #8, r6, asr #10
	strb r6, [r1, #0]
	add r4, r3, r7, asr #31
	smmlar r7, r7, r2, r4
	ssat r7, #8, r7, asr #10
	strb r7, [r1, #2]
	add r4, r3, r8, asr #31
	smmlar r8, r8, r2, r4
	ssat r8, #8, r8, asr #10
	strb r8, [r1, #4]
	add r4, r3, r9, asr #31
	smmlar r9, r9, r2, r4
	ssat r9, #8, r9, asr #10
	strb r9, [r1, #6]
	@ Output channel 1.
	movw r2, #55874
	movt r2, #22372
	movw r3, #32896
	movt r3, #65535
	add r4, r3, r10, asr #31
	smmlar r10, r10, r2, r4
	ssat r10, #8, r10, asr #8
	strb r10, [r1, #1]
	add r4, r3, r11, asr #31
	smmlar r11, r11, r2, r4
	ssat r11, #8, r11, asr #8
	strb r11, [r1, #3]
	add r4, r3, r12, asr #31
	smmlar r12, r12, r2, r4
	ssat r12, #8, r12, asr #8
	strb r12, [r1, #5]
	add r4, r3, lr, asr #31
	smmlar lr, lr, r2, r4
	ssat lr, #8, lr, asr #8
	strb lr, [r1, #7]
	@ The next block of the row.
	ldr r2, [sp, #4]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #4]
	beq.n .Lphase_2_block_end
	adds r0, #64
	adds r1, #8
	@ The last turn is moved back to the edge.
	cmp r2, #1
	bne.n .Lphase_2_block_go
	subs r0, #48
	subs r1, #6
.Lphase_2_block_go:
	str r1, [sp, #0]
	b.w .Lphase_2_block
.Lphase_2_block_end:
	@ The next row of blocks.
	ldr r2, [sp, #8]
	ldr r1, [sp, #0]
	subs r2, #1
	str r2, [sp, #8]
	beq.n .Lphase_2_row_end
	adds r0, #160
	adds r1, #8
	str r1, [sp, #0]
	b.w .Lphase_2_row
.Lphase_2_row_end:
	add sp, #16
	.cfi_def_cfa_offset 36
	pop {r4-r11, pc}
	.cfi_endproc
	.size phase_2, . - phase_2
