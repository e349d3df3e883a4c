"""The C names of a generated network: all of them begin with the one that the user gave, so that several can be linked.

The runtime (`approx_runtime.h`, `approx_operators.h`) has names of its own and is shared.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "network"
"""The name of a network without one, which X-CUBE-AI has too."""


@dataclass(frozen=True)
class Names:
    """network: lower case, a C identifier in which no two underscores meet."""

    network: str = DEFAULT

    @property
    def prefix(self) -> str:
        """Of functions, and the stem of the files: `approx_network`."""
        return f"approx_{self.network}"

    @property
    def macro(self) -> str:
        """Of macros: `APPROX_NETWORK`."""
        return self.prefix.upper()

    @property
    def run(self) -> str:
        """The function of one inference: `approx_network_run`."""
        return f"{self.prefix}_run"

    @property
    def header(self) -> str:
        """What an application includes: `approx_network.h`."""
        return f"{self.prefix}.h"

    def step(self, index: int) -> str:
        """The C name of the step that ends with operator `index`, and the stem of its files.

        `approx_layer_03`, or `approx_kws_layer_03` of a network that has got the name kws.
        """
        owner = "approx" if self.network == DEFAULT else self.prefix
        return f"{owner}_layer_{index:02d}"

    def renamed(self, text: str) -> str:
        """A text that was written for a network with the default name."""
        default = Names()
        return text.replace(default.prefix, self.prefix).replace(default.macro, self.macro)


UNNAMED = Names()
"""Those of a network that has got no name."""
