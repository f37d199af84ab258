// Buttons that save a table (the server writes it, on demand) or the figure beside them (drawn already).
const hand = (blob, name) => {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 5000);
};

// A Plotly figure is a few SVGs of the same size, one above the other.
const picture = (figure, about) => {
  const space = 'http://www.w3.org/2000/svg', { width, height } = figure.getBoundingClientRect();
  const whole = document.createElementNS(space, 'svg');
  for (const [name, value] of Object.entries({ xmlns: space, width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': 'Inter, system-ui, sans-serif' })) whole.setAttribute(name, value);
  const told = document.createElementNS(space, 'desc'), ground = document.createElementNS(space, 'rect');
  told.textContent = about;
  const behind = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: behind })) ground.setAttribute(name, value);
  whole.append(told, ground);
  for (const layer of figure.querySelectorAll('svg.main-svg')) {
    const copy = layer.cloneNode(true);
    copy.querySelectorAll('.hoverlayer, .zoomlayer, .selectionlayer').forEach(one => one.remove());
    copy.querySelectorAll('text').forEach(text => { text.style.userSelect = ''; });
    copy.style.background = '';
    whole.append(...copy.childNodes);
  }
  return new Blob([new XMLSerializer().serializeToString(whole)], { type: 'image/svg+xml' });
};

const raster = async (svg, figure) => {
  const image = new Image(), { width, height } = figure.getBoundingClientRect();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 2 * width, height: 2 * height });
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
};

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.saves');
  root.setAttribute('aria-label', `save ${data.what}`);
  root.replaceChildren(...data.kinds.map(kind => Object.assign(document.createElement('button'), {
    type: 'button', textContent: kind,
    title: kind === 'Table' ? 'Show the numbers' : kind === 'SVG' || kind === 'PNG' ? `Save this figure as ${kind}` : `Save this table as ${kind}`,
    onclick: async () => {
      const figure = data.figure && document.querySelector(`${data.figure} .js-plotly-plot`);
      if (kind === 'SVG' && figure) hand(picture(figure, data.about), `${data.stem}.svg`);
      else if (kind === 'PNG' && figure) hand(await raster(picture(figure, data.about), figure), `${data.stem}.png`);
      else setTriggerValue('wanted', kind);
    },
  })));
  if (data.kinds[0] === 'Table') root.firstElementChild.setAttribute('aria-expanded', String(!!data.table));
  if (data.table) {
    const make = (tag, ...children) => { const node = document.createElement(tag); node.append(...children); return node; };
    const around = make('div', make('table', make('caption', data.what),
      make('thead', make('tr', ...data.table.names.map(name => { const cell = make('th', name); cell.scope = 'col'; return cell; }))),
      make('tbody', ...data.table.rows.map(row => make('tr', ...row.map(text => make('td', text)))))));
    around.className = 'table'; around.tabIndex = 0;
    if (data.table.left_out) around.append(make('p', `and ${data.table.left_out} more: they are in the files`));
    root.append(around);
  }
  if (data.made && root._made !== data.made.token) {
    root._made = data.made.token;
    hand(new Blob([data.made.text], { type: data.made.type }), `${data.stem}.${data.made.ending}`);
  }
}
