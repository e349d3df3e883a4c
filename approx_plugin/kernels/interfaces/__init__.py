"""Other interfaces to a generated network than our own: thin layers of C over it, for applications that know them.

The names are those that an application of ST Edge AI or X-CUBE-AI uses; all text here is our own.
"""
