"""What every layer in the registry promises; a new line there is tested here by itself."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace

import numpy as np
import orjson
import pytest

from geodata.access.scope import Scope
from geodata.errors import NotAllowed, NotFound
from geodata.words import LANGS, has_words, load_words
from layers.layer import Layer, Picture, Tile
from layers.registry import LAYERS, find_layer, find_source
from tests.layers.mvt_reader import read_tile

SOURCES = {s.name: s for layer in LAYERS for s in (layer.source, *layer.more_sources)}
VALUED = [layer for layer in LAYERS if layer.read_values]
NOTHING: dict = {"features": []}
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
each_valued = pytest.mark.parametrize("layer", VALUED, ids=lambda layer: layer.id)
each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)


def pictures_of(source, picture: Picture) -> list[Picture]:
    """Return a picture for each tile over the city, or the one picture of a GeoJSON source."""
    if not source.tiled:
        return [picture]
    west, south, east, north = picture.facts.bounds
    lon, lat = np.array([west, east]), np.array([north, south])
    x = lon / 360 + 0.5
    y = 0.5 - np.arctanh(np.sin(np.radians(lat))) / (2 * np.pi)
    out = []
    for z in range(source.minzoom, source.maxzoom + 1):
        (left, right), (top, bottom) = ((axis * 2**z).astype(int) for axis in (x, y))
        out += [
            replace(picture, tile=Tile(z=z, x=column, y=row))
            for column in range(left, right + 1)
            for row in range(top, bottom + 1)
        ]
    return out


def properties_of(source, body: bytes) -> list[dict]:
    if source.format == "geojson":
        return [feature["properties"] for feature in orjson.loads(body)["features"]]
    if source.format == "mvt":
        layers = read_tile(body)
        return [f["properties"] for name, layer in layers.items() if name != "about"
                for f in layer["features"]]  # fmt: skip
    return []


@each_source
def test_it_draws_when_there_is_nothing(source, empty_facts, bare_facts, picture):
    for facts in (empty_facts, bare_facts):
        for one in pictures_of(source, replace(picture, facts=facts))[:40]:
            body = source.draw(one)
            assert body is None if source.tiled else orjson.loads(body)["features"] is not None


@each_layer
def test_its_legend_and_values_are_there_when_there_is_nothing(
    layer, empty_facts, bare_facts, picture
):
    for facts in (empty_facts, bare_facts):
        empty = replace(picture, facts=facts)
        assert json.dumps(layer.describe_legend(empty), allow_nan=False)
        if layer.read_values:
            assert json.dumps(layer.read_values(empty).as_json(), allow_nan=False)


@each_source
def test_it_sends_only_the_fields_it_declares(source, picture):
    sent = set()
    for one in pictures_of(source, picture):
        for properties in properties_of(source, source.draw(one) or b""):
            sent |= set(properties)
    assert sent <= set(source.fields)
    assert "secret" not in sent
    if source.format != "png":
        assert sent, "a source that sends nothing proves nothing"


@each_source
def test_it_keeps_its_byte_budget(source, picture):
    for one in pictures_of(source, picture):
        body = source.draw(one) or b""
        sent = body if source.format == "png" else gzip.compress(body, 6)
        assert len(sent) <= source.budget_bytes


@each_source
def test_it_draws_the_same_bytes_each_time(source, picture):
    for one in pictures_of(source, picture)[-4:]:
        again = replace(one, facts=replace(one.facts, kept={}))
        assert source.draw(one) == source.draw(again)


@each_source
def test_what_a_file_called_things_cannot_become_markup(source, picture):
    for one in pictures_of(source, picture):
        if source.format == "geojson":
            body = source.draw(one)
            assert b"<" not in body
            assert b">" not in body


def test_a_name_with_markup_arrives_as_the_text_it_is(picture, facts):
    features = orjson.loads(find_source("places").draw(picture))["features"]
    assert features[0]["properties"]["name"] == facts.places["name"][0]


@each_source
def test_nothing_leaves_outside_the_scope(source, facts, picture, one_street):
    """What is drawn for a street is exactly what lies in it; unowned incidents are left out."""
    hidden = replace(picture, scope=one_street)
    if source.name in {"base", "grids", "areas"}:
        # Roads, water and the drawing of the grids are the same for everyone.
        pairs = zip(pictures_of(source, hidden), pictures_of(source, picture), strict=True)
        assert all(source.draw(one) == source.draw(other) for one, other in pairs)
        return
    if source.format == "geojson":
        ids = [f["id"] for f in orjson.loads(source.draw(hidden))["features"]]
        frame = facts.places
        uid = facts.grids.finest()["uid"][frame["owner"]]
        assert set(ids) == set(np.flatnonzero(uid.isin(one_street.grids)))
        assert 0 < len(ids) < len(frame)
    elif source.name == "components":
        uid = facts.grids.finest()["uid"][facts.places["owner"]]
        drawn = {
            feature["properties"]["id"]
            for one in pictures_of(source, hidden)
            for feature in read_tile(source.draw(one) or b"").get("components", NOTHING)["features"]
        }
        assert drawn == set(facts.places["id"][uid.isin(one_street.grids).to_numpy()])
        assert 0 < len(drawn) < len(facts.places)
    elif source.format == "mvt":
        snapshot = facts.snapshot
        uids = np.append(facts.grids.finest()["uid"], -1)[snapshot.owner]
        inside = set(snapshot.incident[np.isin(uids, list(one_street.grids))].tolist())
        drawn = [
            feature["id"]
            for one in pictures_of(source, hidden)
            if one.tile.z == source.maxzoom
            for feature in read_tile(source.draw(one) or b"").get("dots", {"features": []})[
                "features"
            ]
        ]
        placed = set(snapshot.incident[: snapshot.placed].tolist())
        assert sorted(drawn) == sorted(inside & placed)
    else:
        assert source.draw(pictures_of(source, hidden)[0]) != source.draw(
            pictures_of(source, picture)[0]
        )
        nobody = replace(hidden, scope=replace(one_street, grids=frozenset()))
        assert source.draw(pictures_of(source, nobody)[0]) is None


@each_valued
def test_figures_outside_the_scope_are_missing(layer, facts, picture, one_street):
    values = layer.read_values(replace(picture, scope=one_street))
    seen = facts.grids.finest()["uid"].isin(one_street.grids).to_numpy()
    assert np.isnan(values.values[~seen]).all()
    assert not np.isnan(values.values[seen]).all()
    assert set(values.thin) <= set(np.flatnonzero(seen))


@each_valued
def test_there_is_one_figure_a_grid_and_a_colour_a_class(layer, facts, picture):
    values = layer.read_values(picture)
    assert len(values.as_json()["values"]) == len(facts.grids.finest())
    if layer.kind == "choropleth":
        for ramp in layer.style.plain["ramp"].values():
            assert len(ramp) >= len(values.breaks) + 1


@each_source
def test_it_asks_for_a_permission(source, picture):
    stranger = Scope(account="x", grids=None, permissions=frozenset())
    with pytest.raises(NotAllowed):
        source.draw(replace(pictures_of(source, picture)[0], scope=stranger))


@each_source
def test_it_refuses_a_tile_it_does_not_have(source, picture):
    tile = Tile(z=source.maxzoom + 1, x=0, y=0) if source.tiled else Tile(z=0, x=0, y=0)
    with pytest.raises(NotFound):
        source.draw(replace(picture, tile=tile))
    if source.tiled:
        with pytest.raises(NotFound):
            source.draw(replace(picture, tile=None))


@each_layer
@pytest.mark.parametrize("lang", LANGS)
def test_its_descriptor_is_plain_data_in_both_languages(layer: Layer, lang, facts):
    plain = json.loads(json.dumps(layer.descriptor(lang, facts, version="7"), allow_nan=False))
    assert plain["title"]
    assert re.fullmatch(r"[a-z0-9-]+", plain["id"])
    titles = [item["title"] for item in plain["fields"]]
    assert all(titles)
    assert orjson.dumps(layer.descriptor(lang, facts, version="7"))


@each_layer
def test_what_the_hover_box_shows_is_sent(layer: Layer):
    known = {*layer.source.fields, *(["$value"] if layer.read_values else [])}
    assert {item.name for item in layer.fields} <= known


@each_layer
@pytest.mark.parametrize("lang", LANGS)
def test_it_has_a_legend_in_both_languages(layer: Layer, lang, draw):
    legend = layer.describe_legend(draw(lang=lang))
    assert json.dumps(legend, allow_nan=False)
    assert legend["as_of"]
    for entry in legend["entries"]:
        assert entry["label"]
        assert set(entry["color"]) == {"dark", "light"}
    if layer.kind not in ("labels", "base"):  # names and ground explain themselves
        assert legend["entries"]
    if legend["shown"] is not None:
        assert 0 <= legend["shown"] <= legend["of"]


@each_layer
def test_its_words_are_keys_in_both_files(layer: Layer):
    keys = [layer.title, *(item.title for item in layer.fields)]
    keys += [key for key in (layer.legend.unit, layer.legend.denominator) if key]
    assert all(has_words(key) and key in load_words("en") for key in keys)


def test_ids_are_the_files_names_and_unique():
    import layers  # noqa: PLC0415 - only the folder's place is wanted

    (folder,) = layers.__path__
    ids = [layer.id for layer in LAYERS]
    assert len(set(ids)) == len(ids)
    for id in ids:
        with open(f"{folder}/{id.replace('-', '_')}.py", encoding="utf-8") as file:  # noqa: PTH123
            assert len(file.readlines()) <= 110


def test_sources_of_one_name_are_one_source():
    for layer in LAYERS:
        for source in (layer.source, *layer.more_sources):
            assert find_source(source.name) is source
        assert find_layer(layer.id) is layer
    for find in (find_layer, find_source):
        with pytest.raises(NotFound):
            find("../etc/passwd")


def test_addresses_carry_a_version_or_follow_the_filter(facts):
    for layer in LAYERS:
        source = layer.descriptor("zh", facts, version="7-3")["source"]
        urls = source["url"] if isinstance(source["url"], list) else [source["url"]]
        for url in urls:
            assert not url.startswith("/")
            assert ("?v=7-3" in url) != bool(source.get("filtered"))


@pytest.mark.parametrize("address", [(-1, 0, 0), (3, 8, 0), (3, 0, -1), (25, 0, 0)])
def test_impossible_tiles_are_refused_by_name(address):
    from geodata.errors import BadSetting  # noqa: PLC0415

    z, x, y = address
    with pytest.raises(BadSetting):
        Tile(z=z, x=x, y=y)


@each_layer
@pytest.mark.parametrize("lang", LANGS)
def test_every_stored_code_it_shows_has_a_word(layer: Layer, lang, facts):
    for item in layer.fields:
        if item.codes:
            codes = item.codes(facts, lang)
            assert codes
            assert all(isinstance(code, str) and word for code, word in codes.items())
