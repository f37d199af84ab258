const GAP = 4, TEXT = 40, LEAST = 88, AHEAD = 3;

const merged = (units, pressed) => [...units.filter(unit => !pressed.has(unit)), ...[...pressed].filter(one => one[1]).map(one => one[0])];

// Only the rows on screen (and a few ahead) exist as nodes: 2,048 units cost what 60 cost.
export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.grid'), space = root.querySelector('.space'), none = root.querySelector('.none');
  const state = (root._state ??= { tiles: new Map(), focus: 0 });
  state.data = data; state.send = setTriggerValue; state.dispose?.();
  data.silenced ??= [];
  const recent = () => state.told && performance.now() - state.told.at < 2000;
  // An answer to an earlier press may come after a later one: what was pressed last stands for a moment.
  if (recent()) data.silenced = merged(data.silenced, state.told.units);
  space.setAttribute('aria-label', data.title);

  const place = index => {
    const column = index % state.columns, row = Math.floor(index / state.columns);
    return [column * (state.size + GAP), row * state.row];
  };
  const measure = () => {
    const width = space.clientWidth;
    if (!width) return false;
    state.columns = Math.max(2, Math.floor((width + GAP) / (LEAST + GAP)));
    state.size = (width - GAP * (state.columns - 1)) / state.columns;
    state.row = state.size + TEXT + GAP;
    space.style.height = Math.ceil(state.data.tiles.length / state.columns) * state.row + 'px';
    return true;
  };
  const silence = (tile, unit) => {                            // whether the ablation page silences it
    const on = state.data.silenced.includes(unit), mute = tile.querySelector('.mute');
    tile.classList.toggle('silent', on);
    mute.title = on ? 'silenced for the ablation page: press to undo (key: S)' : 'silence this unit for the ablation page (key: S)';
    tile.setAttribute('aria-description', on ? 'silenced; S lets it speak' : 'S silences it');
  };
  const build = index => {
    const [unit, label, iou, weak, tone, word, sign] = state.data.tiles[index];
    const tile = document.createElement('button'); tile.type = 'button'; tile.className = weak ? 'tile weak' : 'tile';
    tile.dataset.unit = unit; tile.dataset.index = index; tile.tabIndex = index === state.focus ? 0 : -1;
    tile.setAttribute('aria-label', `unit ${unit}, ${word || `${label || 'no concept'}, ${state.data.measure} ${iou}${sign ? `, ${sign}` : ''}`}`);
    tile.setAttribute('aria-pressed', String(unit === state.data.selected));
    tile.title = `unit ${unit} · ${label || 'no concept'} · ${state.data.measure} ${iou}${word ? ' · ' + word : weak ? (state.data.measure === 'AUC' ? ' · no better than chance' : ' · not above the cut-off') : ''}`;
    const patch = document.createElement('span'); patch.className = 'patch';
    if (word === 'dead') { patch.classList.add('loaded'); patch.append(Object.assign(document.createElement('span'), { className: 'word', textContent: 'dead' })); }
    else {
      const image = new Image(); image.alt = ''; image.decoding = 'async';
      image.onload = () => patch.classList.add('loaded');
      image.onerror = () => { patch.classList.add('loaded'); image.remove(); patch.append(Object.assign(document.createElement('span'), { className: 'word', textContent: 'no image' })); };
      image.src = new URL(state.data.base + unit + state.data.suffix, location.origin).href; patch.append(image);
    }
    const text = document.createElement('span'), name = document.createElement('span'), numbers = document.createElement('span');
    text.className = 'text'; name.className = 'label'; numbers.className = 'numbers';
    name.style.setProperty('--tone', tone); name.textContent = word === 'dead' ? 'dead' : label || '—';
    const left = document.createElement('span'), right = document.createElement('span');
    left.textContent = '#' + unit; right.textContent = iou;
    const mute = document.createElement('span'); mute.className = 'mute'; mute.textContent = '⊘';
    patch.append(mute);
    const tag = word === 'dead' ? '' : word || sign;
    if (tag) patch.append(Object.assign(document.createElement('span'), { className: 'tag', textContent: tag }));
    numbers.append(left, right); text.append(name, numbers); tile.append(patch, text); silence(tile, unit);
    return tile;
  };
  const render = () => {
    if (!state.row && !measure()) return;
    const total = state.data.tiles.length;
    const first = Math.max(0, (Math.floor(root.scrollTop / state.row) - AHEAD) * state.columns);
    const last = Math.min(total, (Math.ceil((root.scrollTop + root.clientHeight) / state.row) + AHEAD) * state.columns);
    for (const [index, tile] of state.tiles) if (index < first || index >= last) { tile.remove(); state.tiles.delete(index); }
    for (let index = first; index < last; index++) {
      let tile = state.tiles.get(index);
      if (!tile) { tile = build(index); state.tiles.set(index, tile); space.append(tile); }
      const [x, y] = place(index);
      tile.style.transform = `translate(${x}px, ${y}px)`; tile.style.width = state.size + 'px';
    }
    root.dataset.first = first; root.dataset.last = last;
  };
  const show = index => {                                     // bring a row into view
    const y = place(index)[1];
    if (y < root.scrollTop) root.scrollTop = y;
    else if (y + state.row > root.scrollTop + root.clientHeight) root.scrollTop = y + state.row - root.clientHeight;
    render();
  };
  const mark = unit => {
    state.data.selected = unit;
    for (const tile of state.tiles.values()) tile.setAttribute('aria-pressed', String(+tile.dataset.unit === unit));
  };
  const mute = unit => {                                       // answer at once, the page follows
    const units = recent() ? state.told.units : new Map();
    units.set(unit, !state.data.silenced.includes(unit));
    state.told = { units, at: performance.now() };
    state.data.silenced = merged(state.data.silenced, units);
    for (const tile of state.tiles.values()) silence(tile, +tile.dataset.unit);
    // What was pressed, not what is shown: the page may know more by now. All of the last moment: of two quick
    // presses only the last may arrive.
    state.send('silenced', [...units]);
  };
  const pick = (unit, wait = 0) => {
    mark(unit);                                              // answer at once, the panel follows
    clearTimeout(state.timer);
    state.timer = setTimeout(() => state.send('picked', unit), wait);
  };
  const go = place => {
    if (!state.data.tiles.length) return;
    const index = Math.min(state.data.tiles.length - 1, Math.max(0, place));
    state.tiles.get(state.focus)?.setAttribute('tabindex', '-1');
    state.focus = index; show(index);
    const tile = state.tiles.get(index); tile.tabIndex = 0; tile.focus({ preventScroll: true });
    pick(+tile.dataset.unit, 140);                           // holding a key down does not flood the server
  };
  const memory = 'unitscope-scroll-' + data.version;
  const afresh = held => {                                     // held: the tile that has the focus
    const of = unit => data.tiles.findIndex(tile => tile[0] === unit);
    state.row = 0;
    for (const tile of state.tiles.values()) tile.remove();
    state.tiles.clear();
    none.hidden = data.tiles.length > 0; none.textContent = data.empty; space.style.height = '0px';
    const there = held ? of(+held.dataset.unit) : -1, near = held ? Math.min(+held.dataset.index, data.tiles.length - 1) : 0;
    state.focus = Math.max(0, there >= 0 ? there : held ? near : of(data.selected));
    if (measure()) {
      const kept = sessionStorage.getItem(memory);
      root.scrollTop = kept ?? 0;
      if (data.tiles.length && (held || kept === null)) show(state.focus);
    }
    render();
    return held && state.tiles.get(state.focus);
  };

  if (state.version !== data.version) {
    state.version = data.version;
    keepFocus(space, tile => tile.dataset.unit, afresh);
  } else {
    mark(data.selected);
    for (const tile of state.tiles.values()) silence(tile, +tile.dataset.unit);
    render();
  }

  root.onscroll = () => { sessionStorage.setItem(memory, String(root.scrollTop)); requestAnimationFrame(render); };
  space.onclick = event => {
    const tile = event.target.closest('.tile');
    if (!tile) return;
    if (event.target.closest('.mute')) { mute(+tile.dataset.unit); return; }
    state.focus = +tile.dataset.index; pick(+tile.dataset.unit);
    // On a phone the unit stands below the grid: a tap leads to it.
    if (innerWidth <= 640) document.querySelector(state.data.panel)?.scrollIntoView({ behavior: 'smooth', block: 'start' });
  };
  space.onkeydown = event => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: state.columns, ArrowUp: -state.columns,
      PageDown: state.columns * 4, PageUp: -state.columns * 4, Home: -1e9, End: 1e9 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === 's') { event.preventDefault(); if (!event.repeat) mute(+event.target.closest('.tile').dataset.unit); return; }
    if (by === undefined) return;
    event.preventDefault();
    go(+event.target.closest('.tile').dataset.index + by);
  };
  const slash = event => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.composedPath()[0].matches?.('input, textarea, [contenteditable]')) return;
    const search = document.querySelector(data.search);
    if (search) { event.preventDefault(); search.focus(); }
  };
  const arrows = event => {                                  // where nothing is focused yet, they lead on too
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.composedPath()[0] !== document.body || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const here = state.data.tiles.findIndex(tile => tile[0] === state.data.selected);
    go(Math.max(0, here) + by);
  };
  document.addEventListener('keydown', slash);
  document.addEventListener('keydown', arrows);
  const watch = new ResizeObserver(() => { if (measure()) render(); });
  watch.observe(root);
  state.dispose = () => { document.removeEventListener('keydown', slash); document.removeEventListener('keydown', arrows); watch.disconnect(); };
  return state.dispose;
}
