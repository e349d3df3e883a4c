"""The output: all files of a project, put on disk without touching anybody else's.

tree.collect     all files of a project, as bytes
writer.write     puts them on disk
manifest         which files are ours
clean            takes them back
"""
