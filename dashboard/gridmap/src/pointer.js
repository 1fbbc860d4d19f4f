// What the pointer and the keyboard say: hover, click, Enter at the middle, Escape.
export class Pointer {
  /** `host` gives painter, sources, focus, tooltip, scene() and emit(). */
  constructor(map, host) {
    this.map = map;
    this.host = host;
    this.clicks = 0;
    map.on("mousemove", (event) => this.move(event));
    map.on("mouseout", () => this.leave());
    map.on("dragstart", () => this.leave());
    map.on("zoomstart", () => this.leave());
    map.on("click", (event) => this.click(event.point, event.lngLat));
    const canvas = map.getCanvas();
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("mousedown", () => this.showCross(false));
    canvas.addEventListener("blur", () => this.showCross(false));
  }

  /** Return the topmost {layer, feature} at a point, or null. */
  hit(point) {
    const ids = this.host.painter.interactive();
    if (ids.length === 0) return null;
    const near = [
      [point.x - 3, point.y - 3],
      [point.x + 3, point.y + 3],
    ];
    // Small things may be missed by a few pixels; areas are asked for exactly.
    const exact = ids.filter((id) => id.endsWith("/fill"));
    const loose = ids.filter((id) => !id.endsWith("/fill"));
    const found =
      this.first(loose.length > 0 ? this.map.queryRenderedFeatures(near, { layers: loose }) : []) ||
      // As a pair: MapLibre takes a plain object for options, and answers for the whole screen.
      this.first(
        exact.length > 0 ? this.map.queryRenderedFeatures([point.x, point.y], { layers: exact }) : [],
      );
    return found && { feature: found, layer: this.host.layer(this.host.painter.layerOf(found.layer.id)) };
  }

  first(features) {
    return features.length > 0 ? features[0] : null;
  }

  move(event) {
    if (this.map.isMoving()) return;
    const found = this.hit(event.point);
    this.map.getCanvas().style.cursor = found ? "pointer" : "";
    if (!found || !found.layer) {
      this.leave();
      return;
    }
    const { feature, layer } = found;
    const area = layer.kind === "choropleth";
    this.host.focus.hover(feature.source, area ? feature.id : null);
    if (feature.properties.point_count) {
      this.host.tooltip.hide();
      return;
    }
    this.host.tooltip.show({
      layer,
      properties: this.whole(feature),
      value: this.host.valueOf(layer.id, feature.id),
      point: event.point,
      scene: this.host.scene(),
    });
  }

  leave() {
    this.host.focus.hover(null, null);
    this.host.tooltip.hide();
  }

  async click(point, lngLat) {
    const found = this.hit(point);
    if (found && found.feature.properties.point_count) {
      await this.open(found.feature);
      return;
    }
    const at = { lng: lngLat.lng, lat: lngLat.lat, n: ++this.clicks };
    if (!found || !found.layer) {
      this.host.emit({ clicked: { layer: null, id: null, properties: {}, ...at } });
      return;
    }
    const properties = this.whole(found.feature);
    const id = properties.uid === undefined ? found.feature.id : properties.uid;
    this.host.emit({
      clicked: { layer: found.layer.id, id: id === undefined ? null : id, properties, ...at },
    });
  }

  /** Zoom to where a cluster falls apart. */
  async open(feature) {
    const source = this.map.getSource(feature.source);
    const zoom = await source.getClusterExpansionZoom(feature.properties.cluster_id);
    this.host.move({ center: feature.geometry.coordinates, zoom });
  }

  /** Return a feature's own properties: tiles turn lists into text, the collection does not. */
  whole(feature) {
    const entry = this.host.sources.byId(feature.source);
    if (entry && entry.need.type === "areas" && entry.data) {
      const found = entry.data.features[feature.id];
      if (found && found.id === feature.id) return found.properties;
    }
    return feature.properties;
  }

  key(event) {
    this.showCross(true);
    if (event.key === "Escape") {
      this.leave();
      this.host.emit({ selected: null, clicked: null });
    } else if (event.key === "Enter") {
      const canvas = this.map.getCanvas();
      const middle = { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 };
      this.click(middle, this.map.unproject([middle.x, middle.y]));
    }
  }

  /** Mark the middle, which Enter picks, while the map is driven by keys. */
  showCross(on) {
    this.map.getContainer().classList.toggle("gridmap-keys", on);
  }
}
