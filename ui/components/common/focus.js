// Whoever moves by keys keeps the place where a component draws itself anew. Goes before the component's own
// script.

/** Draw, and let the focus stay: on what bears the same name, else on what stands in its place.
    @param root in which is drawn; elsewhere nothing is touched.
    @param nameOf of an element, the same before and after.
    @param draw is told which element of `root` has the focus, if any; may say which shall have it. */
const keepFocus = (root, nameOf, draw) => {
  const here = root.getRootNode().activeElement;              // inside the shadow root, not its host
  const held = here && here !== root && root.contains(here) ? here : undefined;
  const alike = held && `${held.localName}:is(a, button, [tabindex])`;
  const before = held && { name: nameOf(held), place: [...root.querySelectorAll(alike)].indexOf(held) };
  const wanted = draw(held);
  if (!held || (held.isConnected && !wanted)) return;
  const left = [...root.querySelectorAll(alike)];
  const to = wanted ?? left.find(one => nameOf(one) === before.name) ?? left[Math.min(before.place, left.length - 1)];
  to?.focus({ preventScroll: true });
};
