// A layer's units under one class. A tile is a link to the unit; its button draws the unit's maps beside it.
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

export default function({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector('.list'), state = (list._state ??= {});
  const mark = unit => {
    for (const tile of list.children) {
      const on = +tile.dataset.unit === unit;
      tile.classList.toggle('chosen', on);
      tile.querySelector('.map').setAttribute('aria-pressed', String(on));
    }
  };
  const bar = (positive, negative) => {
    const whole = data.high - data.low || 1, place = value => `${100 * (value - data.low) / whole}%`;
    const part = (from, to, tone) => { const node = make('u'); node.style.setProperty('--from', place(from)); node.style.setProperty('--wide', `${100 * (to - from) / whole}%`); node.style.setProperty('--tone', tone); return node; };
    const zero = make('s'); zero.style.setProperty('--zero', place(0));
    return make('span', { class: 'bar', 'aria-hidden': 'true' }, part(negative, 0, data.against), part(0, positive, data.for), zero);
  };
  const tile = ([unit, label, tone, weak, word, positive, negative, facts, numbers, spoken]) => {
    const patch = make('span', { class: 'patch' });
    if (word === 'dead') patch.append(word);
    else if (data.base) {
      const image = make('img', { alt: '', loading: 'lazy', decoding: 'async', src: new URL(data.base + unit + data.suffix, location.origin).href });
      image.onerror = () => patch.replaceChildren('no image');
      patch.append(image);
    }
    const name = make('span', { class: 'name' }, label ? `${label} · ` : '', `unit ${unit}`);
    if (label) { const dot = make('i'); dot.style.setProperty('--tone', tone); name.prepend(dot); }
    const link = make('a', { href: new URL(data.link + unit, location.origin).href, 'aria-label': `open unit ${unit}: ${spoken}` }, name);
    const text = make('span', { class: 'text' }, link, make('span', { class: 'facts' }, facts), bar(positive, negative), make('span', { class: 'facts' }, numbers));
    const button = make('button', { type: 'button', class: 'map', 'aria-label': `maps of unit ${unit}`, title: 'Draw this unit’s maps over the photographs' }, 'Maps');
    button.onclick = () => { const off = button.getAttribute('aria-pressed') === 'true'; mark(off ? -1 : unit); setTriggerValue('picked', off ? -1 : unit); };
    const made = make('div', { class: weak ? 'unit weak' : 'unit', role: 'listitem', 'data-unit': unit, title: spoken }, ...(data.base ? [patch] : []), text, button);
    return made;
  };
  if (state.version !== data.version) {
    state.version = data.version;
    list.setAttribute('aria-label', data.title); list.classList.toggle('bare', !data.base);
    keepFocus(list, one => one.closest('.unit').dataset.unit, () => list.replaceChildren(...data.units.map(tile)));
  }
  mark(data.selected ?? -1);
  list.onclick = follow;
  list.onkeydown = event => {
    const wide = getComputedStyle(list).gridTemplateColumns.split(' ').length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key], here = event.target.closest('.unit');
    if (by === undefined || !here || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const tiles = [...list.children], to = tiles[Math.min(tiles.length - 1, Math.max(0, tiles.indexOf(here) + by))];
    to.querySelector(event.target.matches('.map') ? '.map' : 'a').focus();
  };
}
