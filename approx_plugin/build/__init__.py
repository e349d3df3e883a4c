"""Builds projects as STM32CubeIDE does, from their project files alone, and runs them in QEMU.

check.check_project         what would keep STM32CubeIDE from importing or building it
build.build                 the IDE's build, replayed with gcc
emulator.run_in_emulator    the same program in QEMU; emulator.verify judges what it printed
headless.build_in_cubeide   the IDE itself, where it is installed
"""
