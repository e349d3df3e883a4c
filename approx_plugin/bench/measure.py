"""The figures of one variant, from the simulation of its firmware."""

from __future__ import annotations

import math

from approx_plugin.bench.firmware import layer_flash
from approx_plugin.bench.results import LayerResult, Top1, VariantResult
from approx_plugin.laboratory.firmware import Firmware
from approx_plugin.laboratory.measurement import printed_cycles, step_figures, verified
from approx_plugin.pipeline.designed import Designed
from approx_plugin.virtual_board.results import Simulation


def result(variant: str, firmware: Firmware, designed: Designed, simulation: Simulation) -> VariantResult:
    """The figures of a simulation.

    Raises VerificationError if an output or a layer differs from the integer reference, ToolError if the firmware did
    not come to its end or a layer was not called once for each inference.
    """
    console = verified(simulation, firmware.elf, firmware.vectors)
    layers = []
    size = firmware.built.size
    steps, flash = firmware.program.step_of(), layer_flash(firmware.program, size.symbols)
    for index, figures in step_figures(simulation, firmware.elf, firmware.functions).items():
        step = steps[index]
        layers.append(
            LayerResult(
                index,
                step.last.name,
                step.last.kind,
                step.kernel,
                sum(operator.macs for operator in step.operators),
                step.cost.macs,
                flash.get(index, 0),
                step.cost.ram_bytes,
                figures,
            )
        )
    return VariantResult(
        variant,
        tuple(layers),
        size.flash_bytes,
        size.ram_bytes,
        firmware.program.memory.size,
        simulation.stack_bytes,
        printed_cycles(console),
        top1(designed),
        designed.title,
        math.fsum(step.cost.cycles for step in firmware.program.steps),
    )


def top1(designed: Designed) -> Top1 | None:
    """The confirmed accuracy of an approximated network."""
    if not designed.candidates or designed.accuracy is None:
        return None
    return Top1(designed.accuracy.exact, designed.accuracy.approximated, designed.accuracy.images)
