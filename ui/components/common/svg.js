// What drawings of our own have in common: elements of an SVG, how wide a text is, a title. Goes before the
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
const wrapped = (text, size, most) => text.split(' ').reduce((lines, word) => {
  const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
  return lines.length && width(longer, size) <= most ? [...lines.slice(0, -1), longer] : [...lines, clipped(word, size, most)];
}, []);

/** A drawing's title: one text in as many lines as it takes, for what is cut off is in no saved picture. */
const LINE = 15;
const heading = (svg, lines, ink) => {
  const text = node(svg, 'text', { 'font-size': 11.5, fill: ink, 'fill-opacity': .75 });
  lines.forEach((line, at) => node(text, 'tspan', { x: 0, y: 12 + LINE * at }, at < lines.length - 1 ? `${line} ` : line));
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
