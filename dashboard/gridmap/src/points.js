// Name points made from the areas themselves: each feature's `lp`, or its own point.

/** Return one point per feature of all collections, with the properties a name or halo needs. */
export function gatherPoints(collections) {
  const features = [];
  for (const collection of collections) {
    for (const feature of collection.features) {
      const place = findPlace(feature);
      if (!place) continue;
      features.push({
        type: "Feature",
        id: feature.id,
        geometry: { type: "Point", coordinates: place },
        properties: feature.properties,
      });
    }
  }
  return { type: "FeatureCollection", features };
}

export function findPlace(feature) {
  const { geometry, properties } = feature;
  if (properties && Array.isArray(properties.lp) && properties.lp.length === 2) return properties.lp;
  return geometry && geometry.type === "Point" ? geometry.coordinates : null;
}

/** Return [west, south, east, north] of a feature of any type. */
export function findBounds(feature) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (coordinates) => {
    if (typeof coordinates[0] !== "number") {
      coordinates.forEach(visit);
      return;
    }
    const [lon, lat] = coordinates;
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  };
  if (feature.geometry) visit(feature.geometry.coordinates);
  return bounds;
}
