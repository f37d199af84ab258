// A drawing as a file: SVG, or PNG of twice its size. Goes before the component's own script.

/** Hand a file to whoever looks at the page. */
const hand = (blob, name) => {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 5000);
};

/** Save an SVG element.
    @param kind "svg" or "png".
    @param svg has a viewBox.
    @param file name without its ending.
    @param ground colour behind it.
    @param about what it shows and was made with, in words inside the file.
    @param leave selector of what is on the screen alone. */
const savePicture = async (kind, svg, { file, ground, about, leave }) => {
  const copy = svg.cloneNode(true), space = 'http://www.w3.org/2000/svg';
  copy.setAttribute('xmlns', space); copy.setAttribute('font-family', 'Inter, system-ui, sans-serif');
  if (leave) copy.querySelectorAll(leave).forEach(one => one.remove());
  const told = document.createElementNS(space, 'desc'), behind = document.createElementNS(space, 'rect');
  told.textContent = about;
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: ground })) behind.setAttribute(name, value);
  copy.prepend(told, behind);
  const blob = new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' });
  if (kind === 'svg') { hand(blob, `${file}.svg`); return; }
  const image = new Image(), { width, height } = svg.viewBox.baseVal;
  image.src = URL.createObjectURL(blob);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 2 * width, height: 2 * height });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob(made => hand(made, `${file}.png`), 'image/png');
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
