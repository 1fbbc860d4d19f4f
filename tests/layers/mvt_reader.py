"""A Mapbox Vector Tile reader written from the specification alone, to check the writer."""

from __future__ import annotations

import struct
from typing import Any


def read_tile(body: bytes) -> dict[str, dict[str, Any]]:
    """Return layer name -> extent, version and features (id, kind, parts, properties)."""
    layers: dict[str, dict[str, Any]] = {}
    for number, part in read_fields(body):
        assert number == 3
        layer = read_layer(part)
        assert layer["name"] not in layers, "a layer's name must be unique in a tile"
        layers[layer["name"]] = layer
    return layers


def read_layer(body: bytes) -> dict[str, Any]:
    raw, keys, values, layer = [], [], [], {}
    for number, part in read_fields(body):
        if number == 1:
            layer["name"] = part.decode()
        elif number == 2:
            raw.append(part)
        elif number == 3:
            keys.append(part.decode())
        elif number == 4:
            values.append(read_value(part))
        elif number == 5:
            layer["extent"] = part
        elif number == 15:
            layer["version"] = part
    assert len(set(keys)) == len(keys)
    layer["features"] = [read_feature(part, keys, values) for part in raw]
    return layer


def read_feature(body: bytes, keys: list[str], values: list[Any]) -> dict[str, Any]:
    feature: dict[str, Any] = {"id": None, "properties": {}}
    for number, part in read_fields(body):
        if number == 1:
            feature["id"] = part
        elif number == 2:
            tags = read_varints(part)
            pairs = zip(tags[::2], tags[1::2], strict=True)
            feature["properties"] = {keys[key]: values[value] for key, value in pairs}
        elif number == 3:
            feature["kind"] = part
        elif number == 4:
            feature["parts"], feature["closed"] = read_shape(read_varints(part))
    return feature


def read_shape(numbers: list[int]) -> tuple[list[list[tuple[int, int]]], int]:
    parts: list[list[tuple[int, int]]] = []
    x = y = at = closed = 0
    while at < len(numbers):
        command, count = numbers[at] & 7, numbers[at] >> 3
        at += 1
        if command == 7:
            assert count == 1
            closed += 1
            continue
        for _ in range(count):
            dx, dy = (n >> 1 ^ -(n & 1) for n in numbers[at : at + 2])
            x, y, at = x + dx, y + dy, at + 2
            if command == 1:
                parts.append([])
            parts[-1].append((x, y))
    return parts, closed


def read_value(body: bytes) -> Any:
    ((number, part),) = read_fields(body)
    if number == 1:
        return part.decode()
    if number == 3:
        return struct.unpack("<d", part)[0]
    if number == 5:
        return part
    if number == 6:
        return part >> 1 ^ -(part & 1)
    assert number == 7
    return bool(part)


def read_fields(body: bytes) -> list[tuple[int, Any]]:
    out, at = [], 0
    while at < len(body):
        key, at = read_varint(body, at)
        if key & 7 == 0:
            value, at = read_varint(body, at)
        elif key & 7 == 1:
            value, at = body[at : at + 8], at + 8
        else:
            assert key & 7 == 2
            length, at = read_varint(body, at)
            value, at = body[at : at + length], at + length
            assert len(value) == length
        out.append((key >> 3, value))
    return out


def read_varints(body: bytes) -> list[int]:
    out, at = [], 0
    while at < len(body):
        value, at = read_varint(body, at)
        out.append(value)
    return out


def read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (body[at] & 127) << shift
        shift += 7
        at += 1
        if body[at - 1] < 128:
            return value, at
