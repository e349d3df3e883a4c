"""The code of one channel group in portable C: the same schedule, the same bytes out, for any compiler."""

from __future__ import annotations

from collections.abc import Sequence

from approx_plugin.kernels.unpacked.assembly import Group
from approx_plugin.kernels.unpacked.blocks import Block
from approx_plugin.kernels.unpacked.geometry import Geometry, Slots, describe_slot
from approx_plugin.kernels.unpacked.requantise import ChannelConstants

BODY = " " * 12
"""Indentation of the code of a block."""


def group_source(
    name: str,
    layout: Geometry,
    slots: Slots,
    order: Sequence[int],
    block: Block,
    group: Group,
    constants: ChannelConstants,
) -> str:
    """The function `void name(const int16_t *input, int8_t *output, int32_t *sums)` as in `assembly.group_code`.

    There is one phase only, all slots in `order`: how large the code becomes is the compiler's business.
    """
    used = group.used
    lines = [f"void {name}(const int16_t *input, int8_t *output, int32_t *sums)", "{", "    (void)sums;"]
    lines += [
        *_loop("    ", "y", layout.out_height - block.height, block.height),
        *_loop("        ", "x", layout.out_width - block.width, block.width),
        f"            const int16_t *const p = input + y * {layout.pixel(1, 0)} + x * {layout.pixel(0, 1)};",
        "            (void)p;",
        f"            int8_t *const o = output + y * {layout.out_pixel(1, 0)} + x * {layout.out_pixel(0, 1)};",
    ]
    pixels = block.pixel_offsets(layout)
    lines.append(f"{BODY}/* The bias. */")
    for position, channel in enumerate(group.channels):
        bias = _int32(int(constants.bias[channel]))
        lines += [f"{BODY}int32_t a{position}_{pixel} = {bias};" for pixel in range(block.pixels)]
    for slot in (s for s in order if used[s]):
        lines.append(f"{BODY}/* {describe_slot(layout, slots, slot)} */")
        offset = int(slots.offset[slot])
        for position in range(len(group.channels)):
            low, high = int(group.low[position, slot]), int(group.high[position, slot])
            for pixel, distance in enumerate(pixels):
                total, address = f"a{position}_{pixel}", f"p + {offset + distance}"
                if low and high:
                    lines.append(f"{BODY}{total} = approx_pair({address}, {low}, {high}, {total});")
                elif low or high:
                    lines.append(f"{BODY}{total} = approx_single({address} + {int(not low)}, {low or high}, {total});")
    outputs = block.output_offsets(layout)
    for position, channel in enumerate(group.channels):
        lines.append(f"{BODY}/* Requantise output channel {channel}. */")
        numbers = (constants.mantissa[channel], constants.rounding[channel], constants.shift[channel])
        arguments = ", ".join(str(int(v)) for v in (*numbers, constants.minimum, constants.maximum))
        lines += [
            f"{BODY}o[{outputs[pixel] + position}] = approx_requantise(a{position}_{pixel}, {arguments});"
            for pixel in range(block.pixels)
        ]
    lines += ["        }", "    }", "}", ""]
    return "\n".join(lines)


def _loop(indent: str, variable: str, last: int, step: int) -> list[str]:
    """A loop over block positions whose last turn is moved back to the edge."""
    turns = -(-last // step) + 1
    return [
        f"{indent}for (int32_t turn_{variable} = 0; turn_{variable} < {turns}; turn_{variable}++) {{",
        f"{indent}    const int32_t regular_{variable} = turn_{variable} * {step};",
        f"{indent}    const int32_t {variable} = regular_{variable} < {last} ? regular_{variable} : {last};",
    ]


def _int32(value: int) -> str:
    """An int32 literal; the lowest one has no literal of its own in C."""
    return str(value) if value > -(2**31) else "(-2147483647 - 1)"
