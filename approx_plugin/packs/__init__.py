"""CMSIS packs: parts that are no board of ours, read from their pack's description, and packs that are fetched.

device       a part as its pack describes it
pdsc         reads pack descriptions
source       where a description comes from: a .pdsc, a .pack, a folder
interrupt_names   what handlers are called
families     what a pack does not say: caches and wait states, by family
generic      the board that a part alone makes
comparison   a board of ours against a pack
store, lock  where packs are kept, and which ones a project uses
index, manager, worker, fetch   how they get there
library      CMSIS-NN out of a pack
lookup       a board by the name in approx.yaml
"""
