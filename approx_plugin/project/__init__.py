"""The STM32CubeIDE tree: written from a Program and a Board, checked by replaying the managed build, run in QEMU.

vectors.make_vectors        test vectors, from the integer reference
tree.collect                all files of a project, as bytes
writer.write                puts them on disk, and touches nobody else's files
check.check_project         what would keep STM32CubeIDE from importing or building it
build.build                 the IDE's build, replayed with gcc
emulator.run_in_emulator    the same program in QEMU; emulator.verify judges what it printed
cubeide.build_in_cubeide    the IDE itself, where it is installed
"""
