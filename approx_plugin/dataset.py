"""Labelled inputs of a network, as the int8 bytes that go into it.

What an array of images may be, by its dtype:

    int8     the input bytes themselves.
    uint8    pixels 0 to 255: the input is pixel - 128. Only for networks whose input has the zero point -128.
    float    real values x: the input is clip(round(x / scale) + zero_point, -128, 127), rounded half away from zero in
             single precision, as TensorFlow Lite's QUANTIZE does.

Its shape is [N, *input_shape[1:]]; for one channel the last dimension may be missing. A network with several inputs
has an array for each, by its name. Labels are integers, [N] or [N, 1]. The inputs of a network with states are one
sequence. In the place of an archive there may be a folder of pictures (`pictures.py`), whose pixels are uint8.

Where approx.yaml says how pixels become real values (`pixels`), uint8 is (pixel - mean) * scale, and then as float.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Callable, TypeVar

import numpy as np
import numpy.typing as npt

from approx_plugin.archive import MistakeError, has_classes, open_source, read_array
from approx_plugin.documents.wording import enumeration
from approx_plugin.errors import ApproxError, DataError, ErrorGroup, Location, raise_all
from approx_plugin.model.tensor import Int8Array, Tensor
from approx_plugin.spec.spec import DataSource, PixelScaling, Spec

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
Result = TypeVar("Result")

Where = Callable[[str], Location]
"""The place in approx.yaml of a field of a set: "file", "images", "inputs", "labels", "start" or "count"."""

MAX_SHARED = 0.01
"""The share of a set's images that may occur in another set: real data holds a few accidental duplicates."""

MAX_FAR_OUTSIDE = 0.05
"""The share of real values that may lie more than a whole input range outside of it before the scaling is doubted."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """inputs: int8 [count, *input_shape[1:]], of several inputs [count, elements of all], as in `Graph`.

    labels: int64 [count], the index of the right output. labelled: whether there are any; where not, they are 0.
    """

    name: str
    inputs: Int8Array
    labels: Labels
    labelled: bool = True

    def __len__(self) -> int:
        """Number of inputs."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Datasets:
    """The three sets of a spec.

    shared: for every pair of their names, how many inputs of the smaller set occur in the other, byte for byte. More
            than MAX_SHARED of the smaller set is an error; fewer are left in and only counted here.
    """

    calibration: Dataset
    exploration: Dataset
    confirmation: Dataset
    shared: Mapping[tuple[str, str], int]


def load_datasets(spec: Spec, inputs: Tensor | Sequence[Tensor], classes: int) -> Datasets:
    """The three sets of a spec that has data.

    inputs: the network's, int8, shape [1, ...], one scale and zero point. classes: number of outputs.
    Raises DataError, or an ErrorGroup with the mistakes of all sets.
    """
    assert spec.data is not None
    exact = spec.method.name == "none" and spec.design is None
    loaded: dict[str, Dataset] = {}
    errors: list[ApproxError] = []
    for name, source in spec.data.sources.items():
        optional = exact and f"data.{name}.labels" not in spec.locations
        try:
            loaded[name] = load_dataset(name, source, inputs, classes, spec_places(spec, name), optional)
        except ErrorGroup as group:
            errors += group.errors
        except DataError as error:
            errors.append(error)
    shared = {pair: _common(loaded[pair[0]], loaded[pair[1]]) for pair in itertools.combinations(loaded, 2)}
    for (first, second), count in shared.items():
        smaller = min(len(loaded[first]), len(loaded[second]))
        if count > MAX_SHARED * smaller:
            what = f"{first} and {second} have {count} images in common; the smaller set has {smaller}"
            why = "an accuracy counts only on images that no earlier stage has seen"
            hint = "give the three sets different images"
            errors.append(DataError(what, where=spec.where(f"data.{second}"), why=why, hint=hint))
    raise_all(errors)
    return Datasets(loaded["calibration"], loaded["exploration"], loaded["confirmation"], shared)


def spec_places(spec: Spec, name: str) -> Where:
    """The places of the fields of a spec's set."""
    return lambda field: spec.where(f"data.{name}.{field}")


def load_dataset(
    name: str,
    source: DataSource,
    inputs: Tensor | Sequence[Tensor],
    classes: int,
    where: Where,
    optional: bool = False,
) -> Dataset:
    """One set; the parameters are those of `load_datasets`, and the places of its fields for messages.

    optional: whether there may be no labels, or such as are no classes.
    Raises DataError, or an ErrorGroup with the mistakes of the images and of the labels.
    """
    errors: list[ApproxError] = []

    def attempt(step: Callable[..., Result], *arguments: Any) -> Result | None:
        """What a step returns; None and a message if it finds a mistake."""
        try:
            return step(*arguments)
        except MistakeError as mistake:
            field = "inputs" if mistake.field == "images" and source.inputs else mistake.field
            what, place = f"{name}: {mistake.what}", where(field)
            errors.append(DataError(what, where=place, why=mistake.why, hint=mistake.hint))
            return None

    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    parts = attempt(_parts, source, tensors) or ()
    stored: list[Array | None] = [None] * len(parts)
    stored_labels: Array | None = None
    has_labels = True
    with ExitStack() as stack:
        archive = attempt(open_source, source, tensors, stack)
        if archive is not None:
            stored = [attempt(read_array, archive, source.file, "images", part.images) for part, _ in parts]
            if optional and not has_classes(archive, source.labels):
                has_labels = False
            else:
                stored_labels = attempt(read_array, archive, source.file, "labels", source.labels)
    images = [None if a is None else attempt(_as_images, a, *part) for a, part in zip(stored, parts)]
    labels = None if stored_labels is None else attempt(_as_labels, stored_labels, source, classes)
    first = next((one for one in images if one is not None), None)
    if first is not None and not has_labels:
        labels = np.zeros(len(first), dtype=np.int64)
    for (part, _), array in zip(parts, images):
        if array is not None and labels is not None:
            attempt(_same_length, array, labels, part)
    chosen = None if first is None else attempt(_chosen, len(first), parts[0][0])
    quantized = [
        None if array is None or chosen is None else attempt(_quantized, array[chosen], *part)
        for array, part in zip(images, parts)
    ]
    known = None if labels is None or chosen is None else attempt(_known, labels[chosen], source, classes)
    raise_all(errors)
    ready = [array for array in quantized if array is not None]
    assert known is not None and len(ready) == len(tensors)
    side_by_side = ready[0] if len(ready) == 1 else np.concatenate([a.reshape(len(a), -1) for a in ready], axis=1)
    return Dataset(name, side_by_side, known, has_labels)


def _parts(source: DataSource, tensors: Sequence[Tensor]) -> Sequence[tuple[DataSource, Tensor]]:
    """For each of the network's inputs the source with the name of its array in the place of `images`."""
    names = [tensor.name for tensor in tensors]
    listed = enumeration([f"'{name}'" for name in names], "and")
    if not source.inputs:
        if len(tensors) == 1:
            return [(source, tensors[0])]
        why = f"the network has {len(tensors)} inputs: {listed}"
        hint = "name an array for each: inputs: {" + ", ".join(f'"{name}": array' for name in names) + "}"
        raise MistakeError("images", "one array of images is for one input", why, hint)
    if len(set(names)) != len(names):
        raise MistakeError("inputs", f"the network's inputs are called {listed}", hint="give them different names")
    unknown = [name for name in source.inputs if name not in names]
    missing = [name for name in names if name not in source.inputs]
    if unknown or missing:
        what = f"no input is called '{unknown[0]}'" if unknown else f"there is no array for the input '{missing[0]}'"
        raise MistakeError("inputs", what, f"the network's inputs are {listed}", "name an array for each of them")
    return [(replace(source, images=source.inputs[tensor.name]), tensor) for tensor in tensors]


def random_inputs(shape: Sequence[int], count: int, seed: int) -> Int8Array:
    """`count` inputs of evenly distributed bytes, for networks without data: int8 [count, *shape].

    The bytes are SHAKE-128 (FIPS 202) of the seed, so they are the same with every version of every library, and the
    first ones do not depend on `count`.
    """
    content = hashlib.shake_128(f"inputs {seed}".encode()).digest(count * math.prod(shape))
    return np.frombuffer(content, np.int8).reshape(count, *shape)


def _as_images(images: Array, source: DataSource, tensor: Tensor) -> Array:
    """The images [N, *input_shape[1:]] of a dtype that can be turned into input bytes."""
    name, expected = f"'{source.images}' of {source.file.name}", tensor.shape[1:]
    if images.dtype not in (np.int8, np.uint8) and images.dtype.kind != "f":
        hint = "store int8 (input bytes), uint8 (pixels) or float32 (real values)"
        raise MistakeError("images", f"{name} is {images.dtype}, which is no image", hint=hint)
    if images.dtype == np.uint8 and source.pixels is not None:
        images = _real(images, source.pixels)
    if images.dtype == np.uint8 and tensor.zero_point != -128:
        why = f"pixels 0 to 255 fit a zero point of -128, but the network's input has {tensor.zero_point}"
        hint = "say in `pixels` how they become real values, or store int8 (input bytes) or float32 (real values)"
        raise MistakeError("images", f"{name} is uint8", why, hint)
    fits = images.shape[1:] == expected or (expected[-1:] == (1,) and images.shape[1:] == expected[:-1])
    if images.ndim and fits:
        return images.reshape(len(images), *expected)
    what = f"{name} has the shape {_shape(images.shape)}, but the network needs {_shape(('N', *expected))}"
    raise MistakeError("images", what, hint=_shape_hint(images.shape, expected))


def _real(pixels: Array, how: PixelScaling) -> Array:
    """(pixel - mean) * scale, the mean of each channel if there are several."""
    mean = np.array(how.mean, dtype=np.float32)
    if len(mean) > 1 and pixels.shape[-1:] != mean.shape:
        what = f"pixels.mean has {len(mean)} numbers, but the last axis has {pixels.shape[-1]}"
        raise MistakeError("images", what, hint="one number, or one for each channel")
    found: Array = (pixels.astype(np.float32) - mean) * np.float32(how.scale)
    return found


def _shape(extents: Sequence[int | str]) -> str:
    """A shape as messages write it."""
    return f"[{', '.join(map(str, extents))}]"


def _shape_hint(shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """How images of another shape become right."""
    if shape == expected or not shape:
        return "this is a single image: store images[None]"
    if len(expected) == 3 and shape[1:] == (expected[2], *expected[:2]):
        return "the channels come last: store images.transpose(0, 2, 3, 1)"
    if shape and math.prod(shape[1:]) == math.prod(expected):
        return f"store images.reshape({', '.join(map(str, (-1, *expected)))}), if its order is height, width, channels"
    return "store images of the network's input size"


def _as_labels(labels: Array, source: DataSource, classes: int) -> Array:
    """The labels [N]."""
    name = f"'{source.labels}' of {source.file.name}"
    if labels.ndim == 2 and labels.shape[1] == classes > 1:
        hint = "store the index of the class: labels.argmax(axis=1)"
        raise MistakeError("labels", f"{name} has the shape {_shape(labels.shape)}: one number a class", hint=hint)
    if labels.ndim != 1 and (labels.ndim != 2 or labels.shape[1] != 1):
        raise MistakeError(
            "labels", f"{name} has the shape {_shape(labels.shape)}", hint="store one label an image: [N]"
        )
    if labels.dtype.kind not in "iu":
        hint = "store integers: the index of the right output"
        raise MistakeError("labels", f"{name} is {labels.dtype}, but labels are integers", hint=hint)
    return labels.reshape(-1)


def _same_length(images: Array, labels: Array, source: DataSource) -> None:
    """As many labels as images."""
    if len(images) != len(labels):
        what = f"{source.file.name} has {len(images)} '{source.images}', but {len(labels)} '{source.labels}'"
        raise MistakeError("labels", what, hint="store one label an image")


def _chosen(available: int, source: DataSource) -> slice:
    """The images that belong to the set."""
    name = f"'{source.images}' of {source.file.name}"
    if source.start >= available:
        what = f"the set starts at image {source.start}, but {name} holds {available} images, counted from 0"
        raise MistakeError("start", what, hint=f"write a start below {available}" if available else "store some images")
    end = available if source.count is None else source.start + source.count
    if end > available:
        what = f"the set is images {source.start} to {end - 1}, but the last one of {name} is {available - 1}"
        raise MistakeError("count", what, hint=f"write count: {available - source.start} or less")
    return slice(source.start, end)


def _quantized(images: Array, source: DataSource, tensor: Tensor) -> Int8Array:
    """Images of a known dtype as the network's input bytes."""
    if images.dtype == np.int8:
        return np.ascontiguousarray(images)
    if images.dtype == np.uint8:
        return np.ascontiguousarray((images ^ np.uint8(128)).view(np.int8))
    name = f"'{source.images}' of {source.file.name}"
    bad = np.flatnonzero(~np.isfinite(images).reshape(len(images), -1).all(axis=1))
    if bad.size:
        what = f"{name} has NaN or infinite values in {bad.size} images, first in image {source.start + int(bad[0])}"
        raise MistakeError("images", what, hint="remove these images, or mend what computed them")
    scale, zero_point = tensor.scale, tensor.zero_point
    low, high = (-128 - zero_point) * scale, (127 - zero_point) * scale
    outside = float(((images < 2 * low - high) | (images > 2 * high - low)).mean())
    if outside > MAX_FAR_OUTSIDE:
        what = f"{outside:.0%} of the values in {name} are far outside of the network's input, {low:.4g} to {high:.4g}"
        hint = "scale them as for the training of the network, for example images / 255"
        raise MistakeError("images", what, hint=hint)
    return quantize(images, scale, zero_point)


def quantize(values: Array, scale: float, zero_point: int) -> Int8Array:
    """Real values as int8: clip(round(x / scale) + zero_point), rounded half away from zero.

    The quotient is taken in single precision, as by the reference kernel of TensorFlow Lite's QUANTIZE
    (`reference_ops::AffineQuantize`); it is rounded in double precision, where adding a half is exact.
    """
    with np.errstate(over="ignore"):
        quotient = (values.astype(np.float32) / np.float32(scale)).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
    return np.ascontiguousarray(np.clip(rounded + zero_point, -128, 127).astype(np.int8))


def _known(labels: Array, source: DataSource, classes: int) -> Labels:
    """Labels of classes that the network has."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        first = int(wrong[0])
        what = f"label {int(labels[first])} of image {source.start + first} in {source.file.name} is no class"
        why = f"the network has {classes} outputs, so labels are 0 to {classes - 1}"
        hint = "labels count from 0: subtract the smallest" if int(labels.min()) == 1 else "choose the right array"
        raise MistakeError("labels", what, why, hint)
    return np.ascontiguousarray(labels.astype(np.int64))


def _common(first: Dataset, second: Dataset) -> int:
    """How many inputs of the smaller set occur in the other one."""
    smaller, larger = sorted((first, second), key=len)
    known = {image.tobytes() for image in larger.inputs}
    return sum(image.tobytes() in known for image in smaller.inputs)
