// Classes as bars, drawn as one SVG and kept on the page: a new setting moves what is there, where a Plotly
// chart would be built anew. What is seen is what is saved; few images, intact and random are told by shape.
const HIGH = 29, INTACT = '#7a8294', BAND = 'rgba(128,136,150,.38)';

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.bars'), room = root.querySelector('.room'), tip = root.querySelector('.tip');
  const state = (root._state ??= {});
  state.dispose?.();
  // The slider is ahead of the server for a moment: its step is drawn at once where it is known.
  const step = () => state.ahead && data.more?.steps[state.ahead.at];
  if (state.ahead && (data.at === state.ahead.at || performance.now() - state.ahead.since > 3000)) state.ahead = null;
  let shown = step() || data;

  const draw = () => {
    const full = root.clientWidth;
    if (!full) return;
    const { rows } = shown;
    const ink = getComputedStyle(root).color;
    const left = Math.min(full * .28, 14 + Math.max(...rows.map(row => width(row.name, 12))));
    const right = 14 + Math.max(...rows.map(row => width(row.numbers.join(''), 12)));
    const wide = Math.max(60, full - left - right), at = share => left + wide * Math.min(1, Math.max(0, share));
    const svg = node(null, 'svg', { role: 'list', 'aria-label': shown.imprint.title, color: ink, 'font-size': 12 });
    const title = wrapped(shown.imprint.title, 11.5, full - 4);
    heading(svg, title, ink);
    let x = 0, y = 32 + LINE * (title.length - 1);             // the key
    const key = (paint, text) => {
      if (x && x + 22 + width(text, 11.5) > full) { x = 0; y += 18; }
      paint(x, y);
      node(svg, 'text', { x: x + 18, y, 'font-size': 11.5, fill: ink, 'fill-opacity': .85 }, clipped(text, 11.5, full - x - 20));
      x += 36 + width(text, 11.5);
    };
    key((x, y) => node(svg, 'rect', { x, y: y - 9, width: 12, height: 9, rx: 1.5, fill: shown.tone }), shown.silenced);
    key((x, y) => node(svg, 'rect', { x: x + 4, y: y - 12, width: 2.6, height: 15, fill: INTACT }), 'intact');
    if (shown.random) key((x, y) => node(svg, 'rect', { x, y: y - 12, width: 12, height: 15, fill: BAND }), shown.random);
    const top = y + 12, foot = top + HIGH * rows.length;
    for (const share of [0, .25, .5, .75, 1]) {
      node(svg, 'line', { x1: at(share), x2: at(share), y1: top, y2: foot, stroke: ink, 'stroke-opacity': .12 });
      node(svg, 'text', { x: at(share), y: foot + 14, 'font-size': 11, fill: ink, 'fill-opacity': .75, 'text-anchor': 'middle' }, String(100 * share));
    }
    node(svg, 'text', { x: left + wide / 2, y: foot + 31, 'font-size': 11.5, fill: ink, 'fill-opacity': .85, 'text-anchor': 'middle' }, clipped(shown.axis, 11.5, full - 8));
    rows.forEach((row, place) => {
      const y = top + HIGH * place, middle = y + HIGH / 2;
      const line = node(svg, 'g', { class: 'row', role: 'listitem', tabindex: 0, 'aria-label': `${row.name}: ${row.note.join('; ')}`, 'data-name': row.name });
      node(line, 'rect', { class: 'ground', x: 0, y: y + 1, width: full, height: HIGH - 2, rx: 4 });
      node(line, 'text', { x: left - 8, y: middle + 4, fill: ink, 'text-anchor': 'end', 'font-weight': row.target ? 700 : 400 }, clipped(row.name, row.target ? 13 : 12, left - 10));
      if (row.random) {
        const [low, high] = row.random;
        node(line, 'rect', { x: at(low) - 1.5, y: y + 2, width: at(high) - at(low) + 3, height: HIGH - 4, fill: BAND });
      }
      if (row.value !== null) {
        const bar = { x: left, y: middle - 6.5, width: Math.max(0, at(row.value) - left), height: 13, rx: 1.5 };
        node(line, 'rect', row.few ? { ...bar, fill: 'none', stroke: row.tone, 'stroke-width': 1.8 } : { ...bar, fill: row.tone });
      }
      if (row.limits) {
        const [low, high] = row.limits.map(at);
        node(line, 'path', { d: `M${low} ${middle}H${high}M${low} ${middle - 4}v8M${high} ${middle - 4}v8`, stroke: ink, 'stroke-opacity': .75, 'stroke-width': 1.6, fill: 'none' });
      }
      if (row.before !== null) node(line, 'rect', { x: at(row.before) - 1.3, y: middle - 10, width: 2.6, height: 20, fill: INTACT });
      const text = node(line, 'text', { x: full - right + 12, y: middle + 4, fill: ink });
      row.numbers.forEach((part, k) => node(text, 'tspan', { 'font-weight': k === 1 ? 700 : 400 }, part));
    });
    const height = foot + 40;
    for (const [name, value] of Object.entries({ width: full, height, viewBox: `0 0 ${full} ${height}` })) svg.setAttribute(name, value);
    keepFocus(room, row => row.dataset.name, () => room.replaceChildren(svg));
    state.svg = svg;
  };

  const rowOf = target => target.closest?.('.row');
  const pick = row => { tip.hidden = true; setTriggerValue('picked', row.dataset.name); };
  const tell = line => {
    const row = shown.rows.find(row => row.name === line.dataset.name), around = root.getBoundingClientRect(), box = line.getBoundingClientRect();
    const made = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
    tip.replaceChildren(made('b', row.name), ...row.note.map(text => made('span', text)));
    tip.hidden = false;
    const below = box.bottom - around.top + 4;
    tip.style.left = Math.max(0, Math.min(around.width - tip.offsetWidth, around.width * .36)) + 'px';
    tip.style.top = (below + tip.offsetHeight > around.height ? box.top - around.top - tip.offsetHeight - 4 : below) + 'px';
  };
  room.onclick = event => { const row = rowOf(event.target); if (row) pick(row); };
  room.onkeydown = event => {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pick(row); }
    if (event.key === 'Escape') tip.hidden = true;
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (next?.classList.contains('row')) { event.preventDefault(); next.focus(); }
  };
  room.onpointermove = event => { const row = rowOf(event.target); if (row && event.pointerType !== 'touch') tell(row); else tip.hidden = true; };
  room.onpointerleave = () => { tip.hidden = true; };
  const gone = new AbortController();
  room.addEventListener('focusin', event => { const row = rowOf(event.target); if (row?.matches(':focus-visible')) tell(row); }, gone);
  room.addEventListener('focusout', () => { tip.hidden = true; }, gone);

  savable(root, () => ({
    svg: state.svg, imprint: shown.imprint, leave: '.ground',
    ground: getComputedStyle(root).getPropertyValue('--st-background-color').trim() || '#fff',
  }));

  addEventListener('unitscope:step', event => {
    state.ahead = { at: event.detail, since: performance.now() };
    const found = step();
    if (!found) { state.ahead = null; return; }
    shown = found; tip.hidden = true;
    draw();
    root.dataset.painted = shown.imprint.title;
  }, gone);

  draw();
  root.dataset.painted = shown.imprint.title;                   // for whoever measures
  const still = redrawn(root, draw);
  state.dispose = () => { gone.abort(); still(); };
  return state.dispose;
}
