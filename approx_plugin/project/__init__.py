"""The STM32CubeIDE tree: written from a Program and a Board, checked by replaying the managed build, run in QEMU."""
