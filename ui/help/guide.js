// What leads a newcomer: the tour's strip, or a line on what this is; and the way out of presenting. Texts are set as text, whatever stands in a name.
const KNOWN = 'unitscope:knows';                               // in this tab: been on Home, on the tour, or dismissed the line
const made = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text ?? '' });
const way = (text, href, name = '') => Object.assign(made('a', name, text), { href });
const without = name => {
  const here = new URL(location.href);
  here.searchParams.delete(name);
  return here.href;
};

const tourOf = tour => {
  const strip = made('section', 'tour'), see = made('p', 'see'), foot = made('nav');
  strip.setAttribute('aria-label', 'Tour');
  see.append(made('b', '', `${tour.title}. `), tour.see);
  strip.append(see);
  if (tour.conclude) strip.append(made('p', 'conclude', tour.conclude));
  foot.setAttribute('aria-label', 'Steps of the tour');
  if (tour.place) foot.append(made('span', 'place', tour.place));
  if (tour.back) foot.append(way('Back', tour.back, 'back'));
  if (tour.next) foot.append(way('Next', tour.next, 'next'));
  foot.append(way('End', without(tour.end), 'end'));
  if (tour.next) foot.append(made('small', '', 'keys: ← →'));
  strip.append(foot);
  return strip;
};

const lineOf = (line, dismissed) => {
  const strip = made('section', 'line'), glossary = way('Glossary', line.glossary);
  strip.setAttribute('aria-label', 'What this is');
  glossary.target = '_blank';
  strip.append(made('span', '', line.text), way('Tour', line.tour, 'go'), glossary);
  if (line.dismiss) {
    const button = made('button', '', '✕');
    button.type = 'button'; button.title = line.dismiss;
    button.setAttribute('aria-label', line.dismiss);
    button.onclick = dismissed;
    strip.append(button);
  }
  return strip;
};

export default function({ data, parentElement }) {
  const root = parentElement.querySelector('.guide');
  root._dispose?.();
  if (data.knows) sessionStorage.setItem(KNOWN, 'on');
  const box = root.getRootNode().host?.closest('[data-testid="stElementContainer"]');
  const hide = on => { if (box) box.style.display = on ? 'none' : ''; };
  const line = data.line && !(data.line.dismiss && sessionStorage.getItem(KNOWN));
  const parts = () => [
    ...(data.present ? [way('End presenting (Esc)', without(data.present), 'leave')] : []),
    ...(data.tour ? [tourOf(data.tour)] : []),
    ...(line ? [lineOf(data.line, () => { sessionStorage.setItem(KNOWN, 'on'); root.querySelector('.line').remove(); hide(true); })] : []),
  ];
  keepFocus(root, one => one.textContent, () => root.replaceChildren(...parts()));
  hide(!root.children.length);
  root.onclick = event => {
    const end = event.target.closest('.end');
    if (end) end.href = without(data.tour.end);                // as the address is now
    const leave = event.target.closest('.leave');
    if (leave) leave.href = without(data.present);
    if (event.target.closest('.tour, .go, .leave')) follow(event);
  };

  // A step begins at its way on, so that Enter leads through the tour; not while somebody is typing.
  const at = data.tour?.place ?? '', busy = document.activeElement?.matches('input, textarea, select, [contenteditable]');
  if (at && document.body.dataset.tour !== at && !busy) (root.querySelector('.next') ?? root.querySelector('.end')).focus({ preventScroll: true });
  document.body.dataset.tour = at;

  // Before any part of the page hears them: on the units' page they would lead through the units as well.
  const keys = event => {
    const name = { ArrowRight: 'next', ArrowLeft: 'back', Escape: 'leave' }[event.key], from = event.composedPath();
    if (!name || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (from[0] !== document.body && !from.includes(root)) return;
    const to = root.querySelector(`.${name}`);
    if (!to && (!data.tour || name === 'leave')) return;
    event.stopImmediatePropagation(); event.preventDefault();
    if (to) travel(name === 'leave' ? without(data.present) : to.href);
  };
  if (data.tour || data.present) addEventListener('keydown', keys, true);
  root._dispose = () => removeEventListener('keydown', keys, true);
  return () => {
    root._dispose();
    setTimeout(() => { if (!root.isConnected) delete document.body.dataset.tour; });   // it has ended
  };
}
