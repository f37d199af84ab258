// A component's drawing as a file: SVG, or PNG of twice its size. Goes before the component's own script.

/** Let the buttons with data-kind "svg" and "png" in a component's tools save its drawing.
    @param root of the component; has an element with class "tools".
    @param drawing gives the SVG element, the file's name without its ending, the colour of the ground, and a
        selector of what is on the screen alone. */
function savable(root, drawing) {
  const picture = () => {
    const { svg, ground, leave } = drawing(), copy = svg.cloneNode(true);
    copy.setAttribute('xmlns', svg.namespaceURI); copy.setAttribute('font-family', 'Inter, system-ui, sans-serif');
    if (leave) copy.querySelectorAll(leave).forEach(one => one.remove());
    const behind = document.createElementNS(svg.namespaceURI, 'rect');
    for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: ground })) behind.setAttribute(name, value);
    copy.insertBefore(behind, copy.firstChild);
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' });
  };
  const hand = (blob, kind) => {
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${drawing().file}.${kind}` });
    link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  };
  root.querySelector('.tools').onclick = async event => {
    const kind = event.target.dataset?.kind;
    if (kind === 'svg') hand(picture(), 'svg');
    if (kind === 'png') {
      const image = new Image(), { width: w, height: h } = drawing().svg.viewBox.baseVal;
      image.src = URL.createObjectURL(picture());
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 2 * w, height: 2 * h });
      canvas.getContext('2d').drawImage(image, 0, 0, 2 * w, 2 * h);
      URL.revokeObjectURL(image.src);
      canvas.toBlob(blob => hand(blob, 'png'), 'image/png');
    }
  };
}
