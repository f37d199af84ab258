// Buttons that save a table (the server writes it, on demand) or the figure beside them (drawn already).
// A Plotly figure is a few SVGs of the same size, one above the other: all of them as one.
const merged = figure => {
  const space = 'http://www.w3.org/2000/svg', whole = document.createElementNS(space, 'svg'), { width, height } = figure.getBoundingClientRect();
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) whole.setAttribute(name, value);
  for (const layer of figure.querySelectorAll('svg.main-svg')) whole.append(...layer.cloneNode(true).childNodes);
  return whole;
};
const SCREEN = '.hoverlayer, .zoomlayer, .selectionlayer';          // of a figure, what is on the screen alone

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.saves');
  root.setAttribute('aria-label', `save ${data.imprint.title}`);
  const buttons = () => data.kinds.map(kind => Object.assign(document.createElement('button'), {
    type: 'button', textContent: kind,
    title: kind === 'Table' ? 'Show the numbers' : kind === 'SVG' || kind === 'PNG' ? `Save this figure as ${kind}` : `Save this table as ${kind}`,
    onclick: () => {
      const figure = data.figure && document.querySelector(`${data.figure} .js-plotly-plot`);
      if (!figure || !['SVG', 'PNG'].includes(kind)) { setTriggerValue('wanted', kind); return; }
      const ground = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
      savePicture(kind.toLowerCase(), merged(figure), { imprint: data.imprint, ground, leave: SCREEN });
    },
  }));
  const make = (tag, ...children) => { const node = document.createElement(tag); node.append(...children); return node; };
  const numbers = () => {
    const around = make('div', make('table', make('caption', data.imprint.title),
      make('thead', make('tr', ...data.table.names.map(name => { const cell = make('th', name); cell.scope = 'col'; return cell; }))),
      make('tbody', ...data.table.rows.map(row => make('tr', ...row.map(text => make('td', text)))))));
    around.className = 'table'; around.tabIndex = 0;
    if (data.table.left_out) around.append(make('p', `and ${data.table.left_out} more: they are in the files`));
    return around;
  };
  const named = one => one.className || one.textContent;
  keepFocus(root, named, () => root.replaceChildren(...buttons(), ...(data.table ? [numbers()] : [])));
  if (data.kinds[0] === 'Table') root.firstElementChild.setAttribute('aria-expanded', String(!!data.table));
  // Once, also where the page puts the component up again with what it was last told.
  const handed = (window.unitscopeHanded ??= new Set());
  if (data.made && !handed.has(data.made.token)) {
    handed.add(data.made.token);
    hand(new Blob([data.made.text], { type: data.made.type }), `${data.imprint.file}.${data.made.ending}`);
  }
}
