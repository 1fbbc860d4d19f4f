// Values as people read them.

/** Fill the {placeholders} of a sentence. */
export function fill(sentence, values) {
  return String(sentence || "").replace(/\{(\w+)\}/g, (whole, name) =>
    name in values ? String(values[name]) : whole,
  );
}

/** Return one property as text in the page's language; an empty text where there is nothing. */
export function formatValue(value, field, lang) {
  if (value === null || value === undefined || value === "") return "";
  const locale = lang === "en" ? "en-GB" : "zh-CN";
  if (field.codes && String(value) in field.codes) return field.codes[String(value)];
  if (field.format === "number" || field.format === "percent") {
    return new Intl.NumberFormat(locale, {
      style: field.format === "percent" ? "percent" : "decimal",
      maximumFractionDigits: field.digits === undefined ? 2 : field.digits,
    }).format(value);
  }
  if (field.format === "time") return formatTime(Number(value), field.zone, locale);
  return String(value);
}

function formatTime(epochS, zone, locale) {
  return new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(epochS * 1000));
}
