// A table of numbers as colours, drawn as one SVG: what is seen is what is saved. Marks are shapes, not
// colours: a notch in the corner, a hollow cell, hatching. Arrow keys move, Enter chooses.
const GAP = 1.5, FOOT = 58;
const channels = stop => [1, 3, 5].map(at => parseInt(stop.slice(at, at + 2), 16));
const bright = ([r, g, b]) => .2126 * r + .7152 * g + .0722 * b;
const mixed = (stops, share) => {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [channels(stops[low]), channels(stops[low + 1])];
  return from.map((value, k) => Math.round(value + (to[k] - value) * (at - low)));
};
const rgb = colour => `rgb(${colour.join(',')})`;

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.heat'), scroll = root.querySelector('.scroll'), tip = root.querySelector('.tip');
  const state = (root._state ??= {});
  state.dispose?.();
  const { rows, columns, values, texts, notes, marks } = data;
  root.classList.toggle('still', !data.clickable);
  if (state.told && performance.now() - state.told.at > 3000) state.told = undefined;
  let chosen = state.told ? state.told.cell : data.selected, focus = state.focus ?? chosen ?? [0, 0];

  const draw = () => {
    const room = root.clientWidth;
    if (!room) return;
    const ink = getComputedStyle(root).color, ground = getComputedStyle(root).getPropertyValue('--st-background-color').trim() || '#fff';
    pen.fillStyle = ground;
    const dark = pen.fillStyle[0] === '#' && bright(channels(pen.fillStyle)) < 110;
    const stops = data.stops[dark ? 'dark' : 'light'];
    const title = wrapped(data.imprint.title, 11.5, room - 4);
    const left = Math.min(room * .34, 10 + Math.max(...rows.map(name => width(name, 11.5))));
    const names = columns.map((name, c) => (data.columnMarks[c] ? data.columnMarks[c] + ' ' : '') + name);
    const longest = Math.max(...names.map(name => width(name, 11.5)));
    const fitting = room => Math.max(18, Math.min(110, room / columns.length));
    const flat = longest <= fitting(room - left - 2) - 4, label = Math.min(longest, 140);
    // A slanted name leans over the right edge: the last one needs room there.
    const lean = flat ? 2 : Math.min(label, width(names.at(-1), 11.5)) * .58 + 6, wide = fitting(room - left - lean);
    const high = rows.length <= 12 ? 34 : rows.length <= 24 ? 25 : 17;
    const head = flat ? 20 : label * .82 + 14, top = 22 + LINE * (title.length - 1) + head;
    const full = Math.max(room, left + wide * columns.length + lean);
    let height = top + high * rows.length + FOOT;              // room for the key; what is left over is cut off
    // Numbers in all cells or in none: some here and some there would look like a statement.
    const widest = size => Math.max(0, ...texts.map((row, r) => Math.max(...row.map((text, c) => values[r][c] === null ? 0 : width(text, size) + (marks[r][c] & 2 ? 12 : 4)))));
    const size = [11, 9.5].find(each => each + 7 <= high && widest(each) <= wide) ?? 0;
    const share = value => data.floor ? Math.log(Math.max(value, data.floor) / data.floor) / Math.log(data.high / data.floor)
      : data.high > data.low ? (value - data.low) / (data.high - data.low) : 0;

    const svg = node(null, 'svg', { width: full, height, viewBox: `0 0 ${full} ${height}`, role: 'grid', 'aria-label': data.imprint.title, color: ink });
    const defs = node(svg, 'defs', {}), hatch = node(defs, 'pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' });
    node(hatch, 'line', { x1: 0, y1: 0, x2: 0, y2: 6, stroke: ink, 'stroke-opacity': .3, 'stroke-width': 1.4 });
    heading(svg, title, ink);
    const heads = node(svg, 'g', { role: 'row' });
    names.forEach((name, c) => {
      const x = left + wide * (c + .5), y = top - 6, text = clipped(name, 11.5, flat ? wide - 2 : 140);
      const strong = chosen && chosen[1] === c ? 700 : 400;
      const made = node(heads, 'text', { x, y, 'font-size': 11.5, fill: ink, 'font-weight': strong, role: 'columnheader',
        'text-anchor': flat ? 'middle' : 'start', transform: flat ? undefined : `rotate(-55 ${x} ${y})` }, text);
      node(made, 'title', {}, name);
    });
    const cells = new Map();
    rows.forEach((name, r) => {
      const line = node(svg, 'g', { role: 'row' }), y = top + high * r;
      const made = node(line, 'text', { x: left - 7, y: y + high / 2 + 4, 'font-size': 11.5, fill: ink, 'text-anchor': 'end', role: 'rowheader',
        'font-weight': chosen && chosen[0] === r ? 700 : 400 }, clipped(name, 11.5, left - 9));
      node(made, 'title', {}, name);
      columns.forEach((_, c) => {
        const value = values[r][c], known = value !== null, box = { x: left + wide * c + GAP / 2, y: y + GAP / 2, width: wide - GAP, height: high - GAP, rx: 2.5 };
        const active = chosen && chosen[0] === r && chosen[1] === c;
        const cell = node(line, 'g', { class: 'cell', role: 'gridcell', tabindex: r === focus[0] && c === focus[1] ? 0 : -1,
          'aria-label': `${name}, ${columns[c]}: ${texts[r][c]}. ${notes[r][c]}`, 'aria-selected': String(!!active), 'data-at': `${r},${c}` });
        const fill = known ? mixed(stops, share(value)) : null, hollow = known && marks[r][c] & 2;
        node(cell, 'rect', { ...box, fill: known ? rgb(fill) : 'url(#hatch)' });
        const inset = Math.min(5, high / 5);
        if (hollow) node(cell, 'rect', { x: box.x + inset, y: box.y + inset, width: box.width - 2 * inset, height: box.height - 2 * inset, rx: 1.5, fill: ground });
        const on = hollow ? ink : known && bright(fill) < 128 ? '#fff' : '#111';
        if (known && size)
          node(cell, 'text', { x: box.x + box.width / 2, y: y + high / 2 + 4, 'font-size': size, 'text-anchor': 'middle', fill: on, style: 'font-variant-numeric:tabular-nums' }, texts[r][c]);
        if (known && marks[r][c] & 1) {
          const notch = Math.min(8, high / 2.4), x = box.x + box.width;
          node(cell, 'path', { d: `M${x - notch} ${box.y}H${x}V${box.y + notch}Z`, fill: on, stroke: ground, 'stroke-width': .8 });
        }
        node(cell, 'rect', { class: 'ring', ...box, fill: 'none', 'pointer-events': 'all',
          ...(active ? { stroke: ink, 'stroke-width': 2.6 } : { stroke: ink, 'stroke-opacity': known ? .08 : .2 }) });
        cells.set(`${r},${c}`, cell);
      });
    });
    height = Math.ceil(legend(svg, defs, { stops, left, y: top + high * rows.length + 12, full: Math.min(full, room), ink, ground }));
    svg.setAttribute('height', height); svg.setAttribute('viewBox', `0 0 ${full} ${height}`);
    keepFocus(scroll, cell => cell.dataset.at, () => scroll.replaceChildren(svg));
    state.svg = svg; state.cells = cells; state.ground = ground;
  };
  const legend = (svg, defs, { stops, left, y, full, ink, ground }) => {
    const gradient = node(defs, 'linearGradient', { id: 'scale' });
    stops.forEach((stop, k) => node(gradient, 'stop', { offset: k / (stops.length - 1), 'stop-color': stop }));
    const bar = Math.min(150, Math.max(70, (full - left) * .3)), start = Math.min(left, 60);
    const say = (x, text, anchor = 'start', line = y + 9) => node(svg, 'text', { x, y: line, 'font-size': 10.5, fill: ink, 'fill-opacity': .8, 'text-anchor': anchor }, text);
    say(start - 5, data.lowText, 'end');
    node(svg, 'rect', { x: start, y, width: bar, height: 11, rx: 2, fill: 'url(#scale)', stroke: ink, 'stroke-opacity': .2 });
    say(start + bar + 5, data.highText);
    const after = start + bar + 13 + width(data.highText, 10.5), beside = after + width(data.scale, 10.5) <= full;
    const lines = beside ? [data.scale] : wrapped(data.scale, 10.5, full - 4);
    lines.forEach((text, k) => say(beside ? after : 2, text, 'start', beside ? y + 9 : y + 25 + 13 * k));
    let x = 2;
    if (!beside) y += 2 + 13 * lines.length;
    const seen = bit => marks.some((row, r) => row.some((mark, c) => values[r][c] !== null && mark & bit));
    const entry = (paint, text) => { if (x + 16 + width(text, 10.5) > full) return; paint(x, y + 19); say(x + 16, text, 'start', y + 28); x += 30 + width(text, 10.5); };
    if (seen(1) && data.notch) entry((at, top) => {
      node(svg, 'rect', { x: at, y: top, width: 11, height: 11, rx: 2, fill: ink, 'fill-opacity': .14 });
      node(svg, 'path', { d: `M${at + 5} ${top}h6v6z`, fill: ink });
    }, data.notch);
    if (seen(2) && data.hollow) entry((at, top) => node(svg, 'rect', { x: at + 1.5, y: top + 1.5, width: 8, height: 8, rx: 1.5, fill: ground, stroke: ink, 'stroke-opacity': .6, 'stroke-width': 3 }), data.hollow);
    if (values.some(row => row.includes(null)) && data.absent) entry((at, top) => node(svg, 'rect', { x: at, y: top, width: 11, height: 11, fill: 'url(#hatch)', stroke: ink, 'stroke-opacity': .3 }), data.absent);
    return y + (x > 2 ? 34 : 16);
  };

  const at = target => target.closest?.('.cell')?.dataset.at.split(',').map(Number);
  const tell = (r, c) => {
    const box = state.cells.get(`${r},${c}`).getBoundingClientRect(), around = root.getBoundingClientRect();
    const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
    tip.replaceChildren(line('b', `${rows[r]} · ${columns[c]}`), line('div', texts[r][c] + (data.unit ? ` ${data.unit}` : '')), ...notes[r][c].split('\n').filter(Boolean).map(text => line('span', text)));
    tip.hidden = false;
    const x = Math.min(Math.max(0, box.left - around.left + box.width / 2 - tip.offsetWidth / 2), Math.max(0, around.width - tip.offsetWidth));
    const above = box.top - around.top - tip.offsetHeight - 6;
    tip.style.left = x + 'px';
    tip.style.top = (box.top - tip.offsetHeight - 6 > 0 ? above : box.bottom - around.top + 6) + 'px';
  };
  const pick = cell => {
    if (!data.clickable) return;
    chosen = cell; focus = state.focus = cell;
    state.told = { cell, at: performance.now() };            // answer at once, the page follows
    draw();
    state.cells.get(cell.join(','))?.focus({ preventScroll: true });
    tip.hidden = true;
    setTriggerValue('cell', cell);
  };
  const move = event => {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e6], End: [0, 1e6] }[event.key];
    const here = at(event.target);
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') tip.hidden = true;
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pick(here); }
    if (!by) return;
    event.preventDefault();
    const to = [[rows.length, 0], [columns.length, 1]].map(([count, k]) => Math.min(count - 1, Math.max(0, here[k] + by[k])));
    state.cells.get(here.join(','))?.setAttribute('tabindex', -1);
    focus = state.focus = to;
    const cell = state.cells.get(to.join(','));
    cell.setAttribute('tabindex', 0); cell.focus(); cell.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  };
  scroll.onclick = event => { const cell = at(event.target); if (cell) pick(cell); };
  scroll.onkeydown = move;
  scroll.onpointermove = event => { const cell = at(event.target); if (cell && event.pointerType !== 'touch') tell(...cell); else tip.hidden = true; };
  scroll.onpointerleave = () => { tip.hidden = true; };
  const gone = new AbortController();                          // these two have no property of their own
  scroll.addEventListener('focusin', event => { const cell = at(event.target); if (cell && event.target.matches(':focus-visible')) tell(...cell); }, gone);
  scroll.addEventListener('focusout', () => { tip.hidden = true; }, gone);

  savable(root, () => ({ svg: state.svg, imprint: data.imprint, ground: state.ground }));

  draw();
  const still = redrawn(root, draw);
  state.dispose = () => { gone.abort(); still(); };
  return state.dispose;
}
