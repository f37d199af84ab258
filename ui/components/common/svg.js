// What drawings of our own have in common: elements of an SVG, and how wide a text is. Goes before the
// component's own script.
const node = (parent, tag, attributes, text) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
};
const pen = document.createElement('canvas').getContext('2d');
const width = (text, size) => { pen.font = `${size}px Inter, system-ui, sans-serif`; return pen.measureText(text).width; };
const clipped = (text, size, most) => {
  if (width(text, size) <= most) return text;
  let cut = text.length - 1;
  while (cut > 1 && width(text.slice(0, cut) + '…', size) > most) cut--;
  return text.slice(0, cut) + '…';
};

/** Draw again where there is another room, or another colour scheme.
    @returns what ends it. */
const redrawn = (root, draw) => {
  let last = root.clientWidth;
  const watch = new ResizeObserver(() => { if (Math.abs(root.clientWidth - last) > 1) { last = root.clientWidth; draw(); } });
  watch.observe(root);
  const scheme = matchMedia('(prefers-color-scheme: dark)'), later = () => setTimeout(draw, 150);
  scheme.addEventListener('change', later);
  return () => { watch.disconnect(); scheme.removeEventListener('change', later); };
};
