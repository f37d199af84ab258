// Photographs of a class with integrated gradients laid over them. Each map is computed when it is first asked
// for, so they come one after the other, the large ones first; what is no longer shown is no longer asked for.
const MODES = [['inside', 'Inside the object'], ['whole', 'Whole image'], ['photo', 'Photo']];
const SVG = 'http://www.w3.org/2000/svg', BUSY = 429, TRIES = 12;
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const draw = (parent, tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  parent.append(node);
  return node;
};
const blobs = new Map();                                      // address -> object URL, for the life of the page

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.maps'), state = (root._state ??= { number: 0 });
  const { height: h, width: w } = data;
  root.style.setProperty('--ratio', `${w} / ${h}`);
  state.queue ??= [];

  const setMode = (mode, tell) => {
    root.dataset.mode = mode;
    for (const button of root.querySelectorAll('.modes button')) button.setAttribute('aria-pressed', String(button.dataset.mode === mode));
    if (tell) setTriggerValue('mode', mode);
  };
  const modes = MODES.filter(([mode]) => data.masked || mode !== 'inside');
  const switches = root.querySelector('.modes');
  keepFocus(switches, button => button.dataset.mode, () => switches.replaceChildren(...modes.map(([mode, title]) => {
    const button = make('button', { type: 'button', 'data-mode': mode }, title);
    button.onclick = () => setMode(mode, true);
    return button;
  })));
  const ramp = (kind, text) => { const key = make('span', {}, text); key.style.setProperty('--ramp', `linear-gradient(90deg, ${data.ramps[kind].join(',')})`); return key; };
  root.querySelector('.legend').replaceChildren(
    ...(data.signed ? [ramp('signed', 'against · for the class')] : [ramp('sizes', 'little · much |G|, this image’s scale')]),
    ...(data.masked ? [make('span', { class: 'truth' }, `“${data.concept}” as ${data.predicted ? 'a model labels it' : 'annotated'}`)] : []));
  setMode(data.mode, false);

  // One frame: photograph, map clipped to the object, the same without clipping, outline.
  const frame = (item, address, wide) => {
    const photo = make('img', { alt: '', decoding: 'async', loading: wide ? 'eager' : 'lazy', src: new URL(data.base + item.image + data.suffix, location.origin).href });
    const box = make('span', { class: 'frame' }, photo), svg = document.createElementNS(SVG, 'svg');
    photo.onerror = () => note('photograph cannot be read', false);
    svg.setAttribute('viewBox', `0 0 ${w} ${h}`); svg.setAttribute('preserveAspectRatio', 'none'); svg.setAttribute('aria-hidden', 'true');
    box.append(svg);
    const id = `clip${state.number++}`, ring = item.outline ? outline(decode(item.outline, h, w), h, w) : '';
    if (ring) draw(draw(draw(svg, 'defs', {}), 'clipPath', { id }), 'path', { d: ring, 'clip-rule': 'evenodd' });
    let said;
    const note = (text, busy) => { said ??= box.appendChild(make('span', { class: 'wait' })); said.textContent = text; said.classList.toggle('busy', busy); if (!text) { said.remove(); said = undefined; } };
    const show = url => {
      note('', false);
      for (const [kind, clip] of [['inside', ring && `url(#${id})`], ['whole', '']]) {
        if (kind === 'inside' && !ring && data.masked) continue;
        const image = draw(svg, 'image', { href: url, x: 0, y: 0, width: w, height: h, preserveAspectRatio: 'none', class: kind, ...(clip ? { 'clip-path': clip } : {}) });
        svg.prepend(image);
      }
      if (ring) svg.prepend(svg.querySelector('defs'));
    };
    if (ring) { draw(svg, 'path', { d: ring, class: 'casing' }); draw(svg, 'path', { d: ring, class: 'line' }); }
    if (blobs.has(address)) show(blobs.get(address));
    else { note(wide ? 'waiting for its turn' : '…', false); state.queue.push({ address, show, note, wide, box }); }
    return box;
  };

  const chosen = () => Math.max(0, data.images.findIndex(item => item.image === state.image));
  const stage = () => {
    const item = data.images[chosen()];
    if (!item) return;
    const figure = (kind, address, text) => make('figure', { class: kind }, frame(item, address, true), make('figcaption', {}, text));
    root.querySelector('.stage').replaceChildren(figure('mapped', item.map, data.mapText), figure('pixel', item.pixel, data.pixelText));
    root.querySelector('.about').replaceChildren(make('b', {}, item.about), ...item.lines.map(line => make('span', {}, line)), make('span', {}, item.name));
    for (const button of root.querySelectorAll('.strip button')) button.setAttribute('aria-selected', String(+button.dataset.image === item.image));
  };
  const row = root.querySelector('.strip');
  const strip = () => keepFocus(row, button => button.dataset.image, () => row.replaceChildren(...data.images.map((item, index) => {
    const box = frame(item, item.map, false);
    if (item.sign) box.append(make('span', { class: 'sign', title: item.signText }, item.sign));
    const button = make('button', { type: 'button', role: 'option', class: 'mapped', 'data-image': item.image, tabindex: index ? -1 : 0, 'aria-label': `image ${index + 1} of ${data.images.length}: ${item.about}` },
      box, make('span', { class: 'caption' }, item.caption));
    button.title = `${item.name}\n${item.about}`;
    return button;
  })));
  const choose = (image, tell) => {
    state.image = image;
    stage(); work();
    if (tell) { state.told = { image, at: performance.now() }; setTriggerValue('image', image); }
  };

  // What the stage waits for comes before the small ones; what has left the page is dropped.
  const next = () => { state.queue = state.queue.filter(one => one.box.isConnected); return state.queue.find(one => one.wide) ?? state.queue[0]; };
  const work = async () => {
    state.stop?.abort();
    const stop = state.stop = new AbortController();
    for (let one; (one = next());) {
      await filled(one, stop.signal);
      if (stop.signal.aborted) return;
      state.queue = state.queue.filter(other => other !== one);
    }
    root.dataset.painted = data.version;
  };
  const filled = async (one, signal) => {
    for (let left = TRIES; left && !blobs.has(one.address); left--) {
      one.note(one.wide ? 'computing this map …' : '…', true);
      try {
        const answer = await fetch(new URL(one.address, location.origin), { signal });
        if (answer.ok) blobs.set(one.address, URL.createObjectURL(await answer.blob()));
        else if (answer.status !== BUSY || left === 1) return one.note(one.wide ? await answer.text() : 'no map', false);
        else { one.note(one.wide ? 'the server is busy: others come first' : '…', true); await new Promise(done => setTimeout(done, 1000 * (+answer.headers.get('Retry-After') || 2))); }
        if (signal.aborted) return;
      } catch (error) {
        return error.name === 'AbortError' ? undefined : one.note(one.wide ? 'the server does not answer' : 'no map', false);
      }
    }
    one.show(blobs.get(one.address));
  };

  if (state.told && (state.told.image === data.open || performance.now() - state.told.at > 3000)) state.told = undefined;
  const wanted = state.told ? state.told.image : data.open;
  if (state.version !== data.version) { state.version = data.version; state.image = wanted; strip(); stage(); work(); }
  else if (wanted !== state.image) choose(wanted, false);
  row.onclick = event => { const button = event.target.closest('button'); if (button) { choose(+button.dataset.image, true); row.querySelector(`[data-image="${button.dataset.image}"]`)?.focus({ preventScroll: true }); } };
  row.onkeydown = event => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key], here = event.target.closest('button');
    if (!by || !here || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const to = data.images[(data.images.findIndex(item => item.image === +here.dataset.image) + by + data.images.length) % data.images.length];
    choose(to.image, true);
    row.querySelector(`[data-image="${to.image}"]`)?.focus();
  };
  return () => state.stop?.abort();
}
