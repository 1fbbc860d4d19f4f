// What MapLibre and we use and Chromium 86 lacks; injected at the head of the page's script and of
// the worker. `floor.mjs` fails the build when a bundle uses a younger name that is not here.
function define(target, name, value) {
  if (!(name in target)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true });
  }
}

define(Object, "hasOwn", (object, name) => Object.prototype.hasOwnProperty.call(object, name));

function at(index) {
  const whole = Math.trunc(index) || 0;
  return this[whole < 0 ? this.length + whole : whole];
}
const typed = Object.getPrototypeOf(Int8Array.prototype);
for (const target of [Array.prototype, String.prototype, typed]) define(target, "at", at);

function findLast(test, self) {
  for (let i = this.length - 1; i >= 0; i--) {
    if (test.call(self, this[i], i, this)) return this[i];
  }
  return undefined;
}
for (const target of [Array.prototype, typed]) define(target, "findLast", findLast);
