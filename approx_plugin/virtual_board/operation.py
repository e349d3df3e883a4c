"""What the cycle model has to know of an instruction, decoded by capstone: its kind, and the registers that it uses.

Register sets are bit masks: bits 0-15 are r0-r15, bit 16 the flags, bits 17-48 s0-s31.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import capstone
from capstone import arm, arm_const

from approx_plugin.cores.kinds import KINDS
from approx_plugin.errors import ToolError

BASE_PC_ALIGNED, BASE_PC, NO_INDEX = 15, 16, 255
"""Base registers beyond r14, and "no index", as in native/pipeline.h."""

PC = 1 << 15
SP = 1 << 13
FLAGS = 1 << 16

# Bits of `Operation.flags`: OPERATION_* of native/pipeline.h.
LOAD, STORE, BRANCH, INDIRECT, CONDITIONAL, DIVIDE_SIGNED, DIVIDE_UNSIGNED, WRITES_SP, SETS_FLAGS = (
    1 << bit for bit in range(9)
)

_NAMES = {
    "it": "it",
    "add": "add addw adr lsl lsr asr ror mov movs movw movt mvn sub subw",
    "logic": "adc and bic cmn cmp eor orn orr rrx rsb sbc teq tst",
    "dsp": (
        "clz qadd qadd16 qadd8 qasx qdadd qdsub qsax qsub qsub16 qsub8 sadd16 sadd8 sasx sel shadd16 shadd8 shasx shsax"
        " shsub16 shsub8 ssat ssat16 ssax ssub16 ssub8 uadd16 uadd8 uasx uhadd16 uhadd8 uhasx uhsax uhsub16 uhsub8"
        " uqadd16 uqadd8 uqasx uqsax uqsub16 uqsub8 usad8 usat usat16 usax usub16 usub8"
    ),
    "bitfield": "bfc bfi pkhbt pkhtb rbit rev rev16 revsh sbfx sxtb sxtb16 sxth ubfx uxtb uxtb16 uxth",
    "extend_add": "sxtab sxtab16 sxtah uxtab uxtab16 uxtah",
    "multiply": ("mul smmul smmulr smuad smuadx smulbb smulbt smull smultb smultt smulwb smulwt smusd smusdx umull"),
    "accumulate": (
        "mla mls smlabb smlabt smlad smladx smlal smlalbb smlalbt smlald smlaldx smlaltb smlaltt smlatb smlatt smlawb"
        " smlawt smlsd smlsdx smlsld smlsldx smmla smmlar smmls smmlsr umaal umlal usada8"
    ),
    "divide": "sdiv udiv",
    "load": "ldr ldrex ldrt lda ldaex vldr",
    "load_narrow": "ldrb ldrbt ldrexb ldrexh ldrh ldrht ldrsb ldrsbt ldrsh ldrsht ldab ldah ldaexb ldaexh",
    "store": "str strb strbt strex strexb strexh strh strht strt stl stlb stlh stlex stlexb stlexh vstr",
    "load_pair": "ldrd",
    "store_pair": "strd",
    "load_multiple": "ldm ldmdb pop vldmia vldmdb vpop",
    "store_multiple": "push stm stmdb vpush vstmdb vstmia",
    "branch": "b bl cbnz cbz",
    "branch_register": "blx bx blxns bxns",
    "table_branch": "tbb tbh",
    "nop": "dbg hint nop pld pldw pli sev wfe wfi yield",
    "system": "bkpt clrex cps mrs msr svc tt tta ttat ttt udf sg",
    "barrier": "dmb dsb isb",
    "float": (
        "vabs vadd vcmp vcmpe vcvt vcvta vcvtb vcvtm vcvtn vcvtp vcvtr vcvtt vmaxnm vminnm vmul vneg vnmul vrinta"
        " vrintm vrintn vrintp vrintr vrintx vrintz vsel vseleq vselge vselgt vselvs vsub"
    ),
    "float_accumulate": "vfma vfms vfnma vfnms vmla vmls vnmla vnmls",
    "float_divide": "vdiv vsqrt",
    # fconsts, fconstd: VMOV with a constant; fmdhr: VMOV of one half of a double register.
    "float_move": "fconstd fconsts fmdhr fmstat vmov vmrs vmsr",
}
KIND_OF = {name: kind for kind, names in _NAMES.items() for name in names.split()}
"""Kind by mnemonic without condition and width; `shift`, `multiply_flags` and `store_register` depend on operands."""

LONG_ACCUMULATORS = frozenset(
    ("smlal", "smlalbb", "smlalbt", "smlald", "smlaldx", "smlaltb", "smlaltt", "smlsld", "smlsldx", "umaal", "umlal")
)
READS_FLAGS = frozenset(("adc", "sbc", "rrx", "sel", "vseleq", "vselge", "vselgt", "vselvs"))
TRANSFERRING = frozenset(kind for kind in KINDS if kind.startswith(("load", "store")))
SHIFTS = frozenset(("lsl", "lsr", "asr", "ror", "rrx"))
DESCENDING = frozenset(("push", "vpush", "stmdb", "ldmdb", "vstmdb", "vldmdb"))
STACKING = frozenset(("push", "pop", "vpush", "vpop"))
SETS_FLAGS_ALWAYS = frozenset(("cmp", "cmn", "tst", "teq", "fmstat", "movs"))


@dataclass(frozen=True)
class Operation:
    """`operation` of native/pipeline.h; the register sets are masks, `size` counts bytes, `transfers` words.

    The `access_count` accesses of `access_size` bytes lie side by side from base_register + (index_register <<
    index_shift) + displacement on.
    """

    kind: str
    size: int
    flags: int = 0
    source: int = 0
    early: int = 0
    accumulate: int = 0
    address: int = 0
    data: int = 0
    result: int = 0
    base: int = 0
    transfers: int = 0
    dividend: int = 0
    divisor: int = 0
    base_register: int = 0
    index_register: int = NO_INDEX
    index_shift: int = 0
    displacement: int = 0
    access_size: int = 0
    access_count: int = 0


@functools.lru_cache(maxsize=1)
def _disassembler() -> Any:
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    disassembler.detail = True
    return disassembler


@functools.lru_cache(maxsize=1)
def _register_masks() -> dict[int, int]:
    """Capstone's register numbers as masks; a double register stands for its two single ones."""
    masks = {getattr(arm_const, f"ARM_REG_R{n}"): 1 << n for n in range(13)}
    masks.update({arm_const.ARM_REG_SP: SP, arm_const.ARM_REG_LR: 1 << 14, arm_const.ARM_REG_PC: PC})
    masks.update({getattr(arm_const, f"ARM_REG_S{n}"): 1 << 17 + n for n in range(32)})
    masks.update({getattr(arm_const, f"ARM_REG_D{n}"): 3 << 17 + 2 * n for n in range(16)})
    return masks


def _mask(registers: Any) -> int:
    masks = _register_masks()
    found = 0
    for register in registers:
        found |= masks.get(register, 0)
    return found


def _union(masks: Iterable[int]) -> int:
    return functools.reduce(int.__or__, masks, 0)


def _shifted_constant(code: bytes) -> bool:
    """Whether the instruction has a modified immediate that is a rotated byte (ThumbExpandImm, imm12 >= 0x400)."""
    if len(code) < 4:
        return False
    first, second = code[0] | code[1] << 8, code[2] | code[3] << 8
    return (first & 0xFA00) == 0xF000 and not second & 0x8000 and bool((first >> 10 & 1) | (second >> 14 & 1))


def decode(code: bytes) -> Operation:
    """The instruction that `code` (2 or 4 bytes of Thumb) holds, as if it stood outside an IT block.

    Raises ToolError if it is none that a Cortex-M with the DSP extension and an FPU has.
    """
    instruction = next(iter(_disassembler().disasm(code, 0)), None)
    if instruction is None or instruction.size != len(code):
        raise ToolError(f"{code.hex()} is no Thumb instruction that the virtual board knows")
    name = instruction.insn_name()
    kind = KIND_OF.get(name)
    if kind is None:
        raise ToolError(f"the virtual board has no timing for '{instruction.mnemonic} {instruction.op_str}'")
    return _operation(instruction, name, kind, code)


def _operation(instruction: Any, name: str, kind: str, code: bytes) -> Operation:
    registers = [_mask([op.reg]) if op.type == arm.ARM_OP_REG else 0 for op in instruction.operands]
    reads, writes = (_mask(found) for found in instruction.regs_access())
    fields = {"flags": 0}
    if kind in TRANSFERRING:
        kind = _transfer(instruction, name, kind, registers, writes, fields)
        reads, writes = 0, fields.pop("written")
    else:
        kind = _computation(instruction, name, kind, code, registers, fields)
        if kind in ("dsp", "bitfield"):
            # Capstone 5 leaves out the last register of PKHBT and the only one of SSAT.
            reads |= _union(registers[1:])
    if kind == "table_branch":
        _access(instruction, name, fields)
        fields["base_register"] = BASE_PC if fields["base_register"] == BASE_PC_ALIGNED else fields["base_register"]

    result = writes & ~fields.get("base", 0)
    if result & PC and not fields["flags"] & BRANCH:
        fields["flags"] |= BRANCH | INDIRECT
    # Capstone 5 lets ADC and SBC set the flags always; their mnemonic is right.
    if instruction.mnemonic.split(".")[0] == name + "s" or name in SETS_FLAGS_ALWAYS:
        fields["flags"] |= SETS_FLAGS
        result |= FLAGS
    if (fields["flags"] & CONDITIONAL and instruction.cc != arm.ARM_CC_AL) or name in READS_FLAGS:
        reads |= FLAGS
    if (result | fields.get("base", 0)) & SP:
        fields["flags"] |= WRITES_SP
    used = fields.get("accumulate", 0) | fields.get("early", 0)
    source = reads & ~PC & ~(used & ~_counted_twice(registers, used))
    return Operation(kind, len(code), source=source, result=result & ~PC, **fields)


def _computation(
    instruction: Any, name: str, kind: str, code: bytes, registers: list[int], fields: dict[str, int]
) -> str:
    """The kind of an instruction that is no load or store; its special operands go into `fields`."""
    if kind in ("add", "logic"):
        last = instruction.operands[-1]
        shifted = last.type == arm.ARM_OP_REG and last.shift.type != 0
        if name not in SHIFTS and (shifted or _shifted_constant(code)):
            fields["early"] = registers[-1] if shifted else 0
            return "shift"
    elif kind == "extend_add":
        fields["accumulate"], fields["early"] = registers[1], registers[2]
    elif kind == "accumulate":
        fields["accumulate"] = registers[0] | registers[1] if name in LONG_ACCUMULATORS else registers[3]
    elif kind == "multiply" and len(code) == 2:
        return "multiply_flags"
    elif kind == "divide":
        fields["flags"] = DIVIDE_SIGNED if name == "sdiv" else DIVIDE_UNSIGNED
        fields["dividend"], fields["divisor"] = (register.bit_length() - 1 for register in registers[1:3])
    elif kind == "branch":
        conditional = name in ("cbz", "cbnz") or instruction.cc != arm.ARM_CC_AL
        fields["flags"] = BRANCH | (CONDITIONAL if conditional else 0)
    elif kind == "branch_register":
        fields["flags"] = BRANCH | INDIRECT
    elif kind == "table_branch":
        fields["flags"] = LOAD | BRANCH | INDIRECT
    return kind


def _transfer(instruction: Any, name: str, kind: str, registers: list[int], writes: int, fields: dict[str, int]) -> str:
    """The kind of a load or store; its operands and accesses go into `fields`, what it loads into "written"."""
    loads = kind.startswith("load")
    fields["flags"] = LOAD if loads else STORE
    if kind.endswith("multiple"):
        stacking = name in STACKING
        moved = _union(registers if stacking else registers[1:])
        words = bin(moved).count("1")
        fields["address"] = SP if stacking else registers[0]
        fields["base_register"] = fields["address"].bit_length() - 1
        fields["displacement"] = -4 * words if name in DESCENDING else 0
        fields["transfers"] = fields["access_count"] = words
        fields["access_size"] = 4
        fields["data"], fields["written"] = (0, moved) if loads else (moved, 0)
        if instruction.writeback or stacking:
            fields["base"] = fields["address"]
        return kind
    memory = _access(instruction, name, fields)
    fields["address"] = _mask([memory.base, memory.index]) & ~PC
    fields["base"] = _mask([memory.base]) if instruction.writeback else 0
    fields["written"] = writes
    if not loads:
        fields["data"] = _union(registers) & ~writes
    if kind.endswith("pair"):
        fields["transfers"] = fields["access_count"] = 2
    elif name in ("vldr", "vstr") and bin(registers[0]).count("1") == 2:
        fields["access_count"] = 2
    return "store_register" if kind == "store" and memory.index else kind


def _access(instruction: Any, name: str, fields: dict[str, int]) -> Any:
    """Where an instruction with a memory operand accesses memory; that operand."""
    operand = next(op for op in instruction.operands if op.type == arm.ARM_OP_MEM)
    memory = operand.mem
    fields["base_register"] = _mask([memory.base]).bit_length() - 1
    fields["displacement"] = memory.disp
    if memory.index:
        fields["index_register"] = _mask([memory.index]).bit_length() - 1
        fields["index_shift"] = operand.shift.value
    width = {"tbb": "b", "tbh": "h"}.get(name, name[3:])
    fields["access_size"] = 1 if "b" in width else 2 if "h" in width else 4
    fields["access_count"] = 1
    return memory


def _counted_twice(registers: list[int], used: int) -> int:
    """Registers of `used` that stand in a second operand too (smlad r0, r1, r0, r0): that one needs them normally."""
    twice = seen = 0
    for register in registers[1:]:
        twice |= seen & register
        seen |= register
    return twice & used
