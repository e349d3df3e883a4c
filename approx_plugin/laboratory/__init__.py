"""Where kernels are tried: made into firmware, run on the virtual board, compared with the reference, measured.

operators    operators from their numbers
layers       drawn layers as networks have them; extremes: at the ends of what operators may be; runtime_layers: of the
             kinds that the runtime serves
drawing      the kernels and plans that are to compute a drawn layer
firmware     the one maker of firmware; bench, calibration and validation use it, too
batch        many steps in one firmware, each with buffers of its own
examiner     looks at every call of a step: bytes, memory around the buffers, registers
harness      kernels in, faults and cycles out: `python -m approx_plugin.laboratory`; jobs: its share for each process
measurement  a whole firmware: simulated, verified, cycles of its steps; figures: what a call costs
"""
