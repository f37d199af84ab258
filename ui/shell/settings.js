// What every page is about: native boxes, which a phone and a screen reader know, drawn once and kept: what somebody
// is typing or has opened stays while the page reruns.
const PAUSE = 400;                                             // ms after an arrow key: it walks through a closed list

const made = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text ?? '' });

const optionsOf = field => field.groups.map(([title, names]) => {
  const options = names.map(name => Object.assign(document.createElement('option'), { value: name, textContent: name }));
  if (!title) return options;
  const group = Object.assign(document.createElement('optgroup'), { label: title });
  group.append(...options);
  return [group];
}).flat();

const boxOf = field => {
  if (field.kind === 'choice') {
    const box = document.createElement('select');
    box.append(...optionsOf(field));
    if (!field.groups.length) { box.disabled = true; box.append(new Option(field.empty, '')); }
    return box;
  }
  const { low: min, high: max, step } = field;
  return Object.assign(document.createElement('input'), { type: 'number', min, max, step, inputMode: 'decimal' });
};

// A button beside the name, for a finger and a key as for a pointer.
const explain = (part, head, { name, label, help: text }) => {
  const help = made('div', 'help', text), ask = made('button', 'ask', '?');
  help.id = `${name}_help`; help.hidden = true;
  ask.type = 'button'; ask.title = text;
  for (const [key, value] of [['label', `About ${label}`], ['controls', help.id], ['expanded', 'false']]) ask.setAttribute(`aria-${key}`, value);
  ask.onclick = () => { help.hidden = !help.hidden; ask.setAttribute('aria-expanded', String(!help.hidden)); };
  head.append(ask); part.append(help);
};

const fieldOf = field => {
  const part = made('div', 'field'), head = made('div', 'head'), label = made('label', '', field.label), box = boxOf(field);
  box.id = box.name = label.htmlFor = field.name;
  head.append(label);
  part.append(head, box);
  if (field.help) { box.setAttribute('aria-description', field.help); explain(part, head, field); }
  return part;
};

const evidenceOf = field => {
  const { tone, word, notes } = field, part = made('div', 'field'), head = made('div', 'head');
  if (word) { head.append(made('span', `badge ${tone}`, word)); part.append(head); }
  if (field.help) explain(part, head, field);
  part.append(...notes.map(note => made('div', 'note', note)));
  return part;
};

// This view as it is now, for a projector.
const present = () => {
  const here = new URL(location.href);
  here.searchParams.set('present', '1');
  return here.href;
};

// The first and the last lead on in this tab, and the others open one of their own: whoever reads keeps the view.
const waysOf = ({ label, ways }) => {
  const part = made('nav', 'ways');
  part.setAttribute('aria-label', label);
  part.append(...ways.map(([text, href], at) => {
    const way = Object.assign(made('a', '', text), { href: href || present() });
    if (!href) for (const kind of ['pointerenter', 'pointerdown', 'focus']) way.addEventListener(kind, () => { way.href = present(); });
    if (at && href) way.target = '_blank';
    else way.onclick = event => {
      follow(event);
      // On a narrow screen the sidebar lies over the page.
      if (event.defaultPrevented && innerWidth <= 768) document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
    };
    return way;
  }));
  return part;
};

// Who is logged in. Whoever logs in comes back to this view as it is then.
const accountOf = ({ text, way, href, returns }) => {
  const part = made('p', 'account', text);
  if (!way) return part;
  const link = Object.assign(made('a', '', way), { href });
  const here = () => { link.href = `${href}?next=${encodeURIComponent(location.pathname + location.search)}`; };
  if (returns) { here(); for (const kind of ['pointerenter', 'pointerdown', 'focus']) link.addEventListener(kind, here); }
  part.append(' · ', link);
  return part;
};

const partOf = field => ({ evidence: evidenceOf, ways: waysOf, account: accountOf })[field.kind]?.(field) ?? fieldOf(field);

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.settings'), kept = (root._kept ??= new Map());
  const parts = data.fields.map(field => {
    const { value, ...rest } = field, text = JSON.stringify(rest);
    if (kept.get(field.name)?.text !== text)
      kept.set(field.name, { text, part: partOf(field) });
    const { part } = kept.get(field.name), box = part.querySelector('select, input');
    if (box) {
      box.dataset.told = value;
      if (box.dataset.typed === undefined && box._wait === undefined) box.value = value;
    }
    return part;
  });
  // One by one: a box that is taken out and put back would lose the keyboard.
  for (const old of [...root.children]) if (!parts.includes(old)) old.remove();
  parts.forEach((part, at) => { if (root.children[at] !== part) root.insertBefore(part, root.children[at] ?? null); });

  const tell = box => {
    clearTimeout(box._wait); delete box.dataset.typed;
    box._wait = undefined;
    if (box.type === 'number') {
      const number = Math.min(+box.max, Math.max(+box.min, +box.value)), told = box.value === '' ? +box.dataset.told : number;
      if (told === +box.dataset.told) { box.value = box.dataset.told; return; }
      box.value = +box.step < 1 ? +told.toFixed(4) : Math.round(told);
    }
    if (box.value === box.dataset.told) return;
    box.dataset.told = box.value;
    setTriggerValue('chosen', [box.name, box.value]);
  };
  const later = box => { clearTimeout(box._wait); box._wait = setTimeout(() => tell(box), PAUSE); };
  root.oninput = ({ target }) => { if (target.type === 'number') target.dataset.typed = ''; };
  root.onchange = ({ target }) => root._key ? later(target) : tell(target);
  root.onkeydown = event => {
    const box = event.target;
    root._key = event.key.startsWith('Arrow') || event.key.length === 1;
    if (event.key === 'Enter' && box.type === 'number') tell(box);
    if (event.key !== 'Escape' || !box.matches('select, input')) return;
    clearTimeout(box._wait); box._wait = undefined; delete box.dataset.typed;
    box.value = box.dataset.told;                              // only typed, or walked over: taken back
    event.stopPropagation(); event.preventDefault();
    box.blur();
  };
  root.onpointerdown = () => { root._key = false; };
  root.onfocusout = ({ target }) => { if (target.dataset.typed !== undefined || target._wait !== undefined) tell(target); };
}
