// A drawing as a file: SVG, or PNG of twice its size; both say inside what they show and what they were made
// with. Goes before the component's own script.

/** Hand a file to whoever looks at the page. */
const hand = (blob, name) => {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 5000);
};

/** Save an SVG element.
    @param kind "svg" or "png".
    @param svg has a viewBox.
    @param imprint as `imprint.py` makes it: its title, name without an ending, and what it was made with.
    @param ground colour behind it.
    @param leave selector of what is on the screen alone. */
const savePicture = async (kind, svg, { imprint, ground, leave }) => {
  const copy = svg.cloneNode(true), space = 'http://www.w3.org/2000/svg';
  const { title, file, made_with } = imprint, about = `${title}. ${made_with}`;
  copy.setAttribute('xmlns', space); copy.setAttribute('font-family', 'Inter, system-ui, sans-serif');
  if (leave) copy.querySelectorAll(leave).forEach(one => one.remove());
  const told = (tag, text) => Object.assign(document.createElementNS(space, tag), { textContent: text });
  const behind = document.createElementNS(space, 'rect');
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: ground })) behind.setAttribute(name, value);
  copy.prepend(told('title', title), told('desc', about), behind);
  const blob = new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' });
  if (kind === 'svg') { hand(blob, `${file}.svg`); return; }
  const image = new Image(), { width, height } = svg.viewBox.baseVal;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 2 * width, height: 2 * height });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  const made = await new Promise(done => canvas.toBlob(done, 'image/png'));
  hand(await inscribed(made, { Title: title, Description: about, Software: made_with }), `${file}.png`);
};

/** Let the buttons with data-kind "svg" and "png" in a component's tools save its drawing.
    @param root of the component; has an element with class "tools".
    @param drawing gives the SVG element and what `savePicture` takes. */
function savable(root, drawing) {
  root.querySelector('.tools').onclick = event => {
    const kind = event.target.dataset?.kind;
    if (kind) { const { svg, ...rest } = drawing(); savePicture(kind, svg, rest); }
  };
}
