"""`approx_lstm_s8`, `approx_svdf_features_s8`, `approx_svdf_time_s8`: layers that remember."""

from __future__ import annotations

import numpy as np

from approx_plugin.kernels.c_lines import array
from approx_plugin.kernels.costs.counting import Memories, Work
from approx_plugin.kernels.portable.call import RuntimeCall, Service, constant, counted, factor, structure
from approx_plugin.operators.lstm import UnidirectionalSequenceLstm
from approx_plugin.operators.svdf import SvdfFeatures, SvdfTime


def lstm(operator: UnidirectionalSequenceLstm, symbol: str) -> RuntimeCall:
    """Constants as `UnidirectionalSequenceLstm` has them."""
    factors = [factor(multiplier) for pair in operator.multipliers for multiplier in pair]
    shape = structure(
        "approx_lstm",
        f"{symbol}_lstm",
        steps=operator.steps,
        features=operator.features,
        cells=operator.cells,
        cell_bits=operator.cell_bits,
        clip=operator.clip,
        weights=f"{symbol}_weights",
        bias=f"{symbol}_bias",
        factors=f"{symbol}_factors",
        hidden=factor(operator.hidden),
        zero_point=operator.hidden_zero_point,
    )
    definitions = (
        constant(f"{symbol}_weights", operator.weights),
        constant(f"{symbol}_bias", operator.bias),
        f"static const approx_factor {symbol}_factors[{len(factors)}] = {{\n{array(factors)}\n}};\n",
        shape,
    )
    statement = f"approx_lstm_s8(&{symbol}_lstm, input, input_2, input_3, output);"
    return RuntimeCall((statement,), definitions, operator.weights.nbytes + operator.bias.nbytes + 64 + 44)


def lstm_work(operator: UnidirectionalSequenceLstm, memories: Memories) -> Work:
    """Products, and five functions for each cell and step."""
    return counted("runtime lstm", {"call": 1, "results": operator.steps * operator.cells, "products": operator.macs})


def features(operator: SvdfFeatures, symbol: str) -> RuntimeCall:
    """The first half of an SVDF."""
    shape = structure(
        "approx_svdf",
        f"{symbol}_svdf",
        filters=len(operator.weights),
        features=operator.weights.shape[1],
        memory=operator.memory,
        rank=1,
        width=operator.width,
        input_offset=-operator.inputs[0].zero_point,
        zero_point=operator.inputs[1].zero_point,
        factor=factor(operator.multiplier),
    )
    statement = f"approx_svdf_features_s8(&{symbol}_svdf, {symbol}_weights, input, input_2, output);"
    return RuntimeCall(
        (statement,), (constant(f"{symbol}_weights", operator.weights), shape), operator.weights.nbytes + 36
    )


def features_work(operator: SvdfFeatures, memories: Memories) -> Work:
    """Products, and a state that is copied."""
    return _svdf_work(operator.macs, len(operator.weights), operator.output.elements)


def time(operator: SvdfTime, symbol: str) -> RuntimeCall:
    """The second half."""
    weights = operator.weights.astype(np.int16 if operator.width > 1 else np.int8)
    shape = structure(
        "approx_svdf",
        f"{symbol}_svdf",
        filters=len(operator.bias),
        features=0,
        memory=operator.weights.shape[1],
        rank=operator.rank,
        width=operator.width,
        input_offset=-operator.inputs[0].zero_point,
        zero_point=operator.output.zero_point,
        factor=factor(operator.multiplier),
    )
    statement = f"approx_svdf_time_s8(&{symbol}_svdf, {symbol}_weights, {symbol}_bias, input, output);"
    definitions = (constant(f"{symbol}_weights", weights), constant(f"{symbol}_bias", operator.bias), shape)
    return RuntimeCall((statement,), definitions, weights.nbytes + operator.bias.nbytes + 36)


def time_work(operator: SvdfTime, memories: Memories) -> Work:
    """Products."""
    return _svdf_work(operator.macs, len(operator.bias), 0)


def _svdf_work(products: int, results: int, copied: int) -> Work:
    return counted("runtime svdf", {"call": 1, "results": results, "products": products, "bytes": copied})


SERVICES = (
    Service(UnidirectionalSequenceLstm, lstm, lstm_work),
    Service(SvdfFeatures, features, features_work),
    Service(SvdfTime, time, time_work),
)
