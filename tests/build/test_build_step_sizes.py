"""Which symbols of a program belong to which of its steps."""

from __future__ import annotations

from approx_plugin.build.step_sizes import step_sizes

SYMBOLS = {
    "approx_layer_01": 7,
    "approx_layer_01_unpacked": 100,
    "approx_layer_01_group_000": 20,
    "approx_layer_01_group_001.constprop.0": 3,
    "approx_layer_01.part.0": 1,
    "approx_layer_010": 1000,
    "approx_layer_100_weights": 5000,
    "approx_layer_10_unpacked.isra.0": 40,
    "my_approx_layer_01_weights": 9,
    "main": 60,
}


def test_a_step_has_what_bears_its_name() -> None:
    assert step_sizes(SYMBOLS, ["approx_layer_01", "approx_layer_10", "approx_layer_100", "approx_layer_02"]) == {
        "approx_layer_01": 131,
        "approx_layer_10": 40,
        "approx_layer_100": 5000,
        "approx_layer_02": 0,
    }
