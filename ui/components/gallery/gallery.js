const MODES = [['both', 'Both'], ['mask', 'Mask'], ['annotation', 'Annotation'], ['agreement', 'Agreement'], ['photo', 'Photo']];
const SVG = 'http://www.w3.org/2000/svg';
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const draw = (svg, tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  svg.append(node);
  return node;
};

// The overlay of one photograph: every layer is drawn once, the mode shows and hides them through CSS.
const overlay = (item, h, w) => {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${w} ${h}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const mask = decode(item.mask, h, w), ring = outline(mask, h, w);
  item.maskPixels = count(mask);
  if (item.annotation) {
    const truth = decode(item.annotation, h, w), edge = outline(truth, h, w), parts = split(mask, truth);
    item.annotationPixels = count(truth); item.hitPixels = count(parts.hit);
    draw(svg, 'path', { d: edge, class: 'truth fill' });
    draw(svg, 'path', { d: edge, class: 'truth casing' });
    draw(svg, 'path', { d: edge, class: 'truth line' });
    for (const kind of ['missed', 'extra', 'hit']) {
      draw(svg, 'path', { d: area(parts[kind], h, w), class: `agree ${kind}` });
      draw(svg, 'path', { d: outline(parts[kind], h, w), class: `agree edge ${kind}` });
    }
  } else {
    draw(svg, 'path', { d: area(mask, h, w), class: 'agree extra' });
    draw(svg, 'path', { d: ring, class: 'agree edge extra' });
  }
  draw(svg, 'path', { d: ring, class: 'mask casing' });
  draw(svg, 'path', { d: ring, class: 'mask line' });
  return svg;
};

const facts = (item, data) => {
  const parts = [item.mask.length || data.switch ? `${item.maskPixels.toLocaleString('en')} mask px` : 'no mask'];
  if (item.annotation) parts.push(`${item.annotationPixels.toLocaleString('en')} “${data.concept}” px`,
    ...(data.switch ? [`${item.hitPixels.toLocaleString('en')} in both`] : []));
  else if (data.concept) parts.push(item.annotation === null ? `no ${data.category} annotation` : `no “${data.concept}” here`);
  return parts.join(' · ');
};

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.gallery');
  const { height: h, width: w } = data;
  root.style.setProperty('--ratio', `${w} / ${h}`);
  for (const [name, colour] of Object.entries(data.strokes)) root.style.setProperty(`--${name}`, colour);
  const state = (root._state ??= {});
  state.send = setTriggerValue;

  const setMode = (mode, tell) => {
    root.dataset.mode = mode;
    for (const button of root.querySelectorAll('.modes button')) button.setAttribute('aria-pressed', String(button.dataset.mode === mode));
    if (tell) setTriggerValue('mode', mode);               // the picture has changed already; the URL follows
  };
  if (state.version !== data.version) {
    const same = state.unit === data.unit;
    state.version = data.version; state.unit = data.unit; state.data = data;   // the overlays count pixels into it
    const modes = root.querySelector('.modes'), list = root.querySelector('.photos');
    const keep = same && root.dataset.mode;
    modes.hidden = !data.switch;
    root.classList.toggle('few', data.few);
    keepFocus(modes, button => button.dataset.mode, () => modes.replaceChildren(...MODES.filter(([mode]) => data.concept || mode === 'mask' || mode === 'photo').map(([mode, title]) => {
      const button = make('button', { type: 'button', 'data-mode': mode }, title);
      button.onclick = () => setMode(mode, true);
      return button;
    })));
    keepFocus(list, photo => photo.dataset.image, () => list.replaceChildren(...data.images.map(tile)));
    setMode(data.concept || data.mode === 'photo' ? (keep || data.mode) : 'mask', false);
    legend();
    follow(true);
    requestAnimationFrame(() => { root.dataset.painted = data.version; });
  } else {
    if (data.mode !== state.serverMode) setMode(data.mode, false);
    follow(false);
  }
  state.serverMode = data.mode;

  // The address says which photograph is enlarged: back and forward open and close it, and tell nobody. What
  // was clicked here is ahead of the server for a moment; an answer to an earlier click must not undo it.
  function follow(redraw) {
    const wanted = data.open ?? -1, dialog = root.querySelector('dialog');
    if (state.told && state.told.image !== wanted && performance.now() - state.told.at < 3000) return;
    state.told = undefined;
    const shown = dialog.open ? state.data.images[+dialog.dataset.index]?.image ?? -1 : -1;
    const index = state.data.images.findIndex(item => item.image === wanted);
    if (index >= 0) { if (redraw || shown !== wanted || +dialog.dataset.index !== index) enlarge(index, false); }
    else if (dialog.open) { state.quiet = true; dialog.close(); }
  }
  function tell(image) {
    state.told = { image, at: performance.now() };
    state.send('image', image);
  }

  function legend() {
    root.querySelector('.legend').replaceChildren(
      make('span', { class: 'key mask-key' }, 'unit’s mask'),
      ...(data.concept ? [make('span', { class: 'key truth-key' }, data.outlined),
        make('span', { class: 'key hit-key' }, 'hit'), make('span', { class: 'key missed-key' }, 'missed'),
        make('span', { class: 'key extra-key' }, 'outside the annotation')] : []));
  }
  function tile(item, index) {
    // The silent row waits for the gallery above it.
    const photo = make('img', { alt: '', decoding: 'async', loading: data.switch && index < 12 ? 'eager' : 'lazy', fetchpriority: data.switch ? undefined : 'low',
      src: new URL(data.base + item.image + data.suffix, location.origin).href });
    photo.onerror = () => { frame.dataset.broken = 'photograph cannot be read'; };
    const frame = make('span', { class: 'frame' }, photo, overlay(item, h, w));
    const button = make('button', { type: 'button', class: 'photo', 'data-image': item.image,
      'aria-label': `photograph ${index + 1} of ${data.images.length}, ${item.about}, ${facts(item, data)}` },
      frame, make('span', { class: 'caption' }, make('b', {}, `${index + 1}`), ` ${item.caption}`));
    button.title = `${item.name}\n${facts(item, data)}`;
    button.onclick = () => enlarge(index, true);
    return button;
  }
  function enlarge(index, told) {
    const dialog = root.querySelector('dialog'), item = state.data.images[index];
    if (!item) return;
    const picture = root.querySelectorAll('.photos .frame')[index].cloneNode(true);
    picture.querySelector('img').loading = 'eager';
    dialog.querySelector('.big').replaceChildren(picture);
    dialog.querySelector('.about').replaceChildren(make('b', {}, `${index + 1} of ${state.data.images.length} · ${item.about}`),
      make('span', {}, facts(item, state.data)), make('span', { class: 'name' }, item.name));
    dialog.dataset.index = index;
    if (!dialog.open) dialog.showModal();
    if (told) tell(item.image);
  }
  const dialog = root.querySelector('dialog');
  const step = by => enlarge((+dialog.dataset.index + by + state.data.images.length) % state.data.images.length, true);
  dialog.querySelector('.previous').onclick = () => step(-1);
  dialog.querySelector('.next').onclick = () => step(1);
  dialog.querySelector('.close').onclick = () => dialog.close();
  dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
  dialog.onclose = () => {
    if (!state.quiet) tell(-1);
    state.quiet = false;
    // The browser gives the focus back to the photograph that opened it. Where none did, or it is gone: the one shown.
    const here = root.getRootNode().activeElement;
    if (!here || dialog.contains(here)) root.querySelectorAll('.photo')[+dialog.dataset.index]?.focus({ preventScroll: true });
  };
  dialog.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowRight') step(1);
    if (event.key === 'ArrowLeft') step(-1);
  };
}
