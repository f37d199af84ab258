// One box over everything that is stored. The server searches; what it found are links, chosen by arrow keys and
// Enter, or pressed.
const PAUSE = 70, PATIENCE = 350;                              // ms: after a key; before a line says what takes long

const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text ?? '' });

export default function({ data, parentElement }) {
  const root = parentElement.querySelector('.search'), dialog = root.querySelector('dialog'), input = root.querySelector('input');
  const list = root.querySelector('.found'), status = root.querySelector('.status'), button = root.querySelector('.open');
  const state = (root._state ??= { shown: undefined, at: -1 });
  state.dispose?.();

  const options = () => [...list.querySelectorAll('a')];
  const mark = at => {
    const every = options();
    state.at = every.length ? (at + every.length) % every.length : -1;
    every.forEach((one, place) => one.setAttribute('aria-selected', String(place === state.at)));
    if (state.at < 0) { input.removeAttribute('aria-activedescendant'); return; }
    input.setAttribute('aria-activedescendant', every[state.at].id);
    if (state.at === 0) list.scrollTop = 0;                     // the heading above the first one, too
    else every[state.at].scrollIntoView({ block: 'nearest' });
  };
  const row = (hit, at) => {
    const link = Object.assign(make('a', `${hit.kind} ${hit.weak ? 'weak' : ''}`), { href: new URL(hit.href, location.origin).href, id: `hit${at}`, tabIndex: -1 });
    link.setAttribute('role', 'option'); link.setAttribute('aria-selected', 'false');
    const mark = make('i'); mark.style.setProperty('--tone', hit.tone);
    link.append(mark, make('span', 'name', hit.name), make('span', 'about', hit.about));
    return link;
  };
  const show = told => {
    let at = 0;
    list.replaceChildren(...told.groups.map(group => {
      const part = make('div', 'group'), title = make('p', 'title', group.title);
      part.setAttribute('role', 'group'); part.setAttribute('aria-label', group.title); title.setAttribute('aria-hidden', 'true');
      part.append(title, ...group.hits.map(hit => row(hit, at++)));
      if (group.more) { const more = make('p', 'more', group.more); more.setAttribute('role', 'presentation'); part.append(more); }
      return part;
    }));
    list.classList.remove('old');
    input.setAttribute('aria-expanded', String(at > 0));
    status.textContent = told.words;
    state.shown = told.query; mark(0);
  };
  const fail = words => { list.replaceChildren(); input.setAttribute('aria-expanded', 'false'); status.textContent = words; state.at = -1; };

  const ask = async () => {
    const wanted = input.value.trim(), here = new URLSearchParams(location.search), query = new URLSearchParams({ q: wanted });
    for (const name of data.kept) if (here.get(name)) query.set(name, here.get(name));
    state.asking?.abort();
    const asking = state.asking = new AbortController();
    list.classList.toggle('old', state.shown !== wanted);
    const slow = setTimeout(() => { status.textContent = 'Reading the stored profiles …'; }, PATIENCE);
    try {
      const answer = await fetch(new URL(`${data.address}?${query}`, location.origin), { signal: asking.signal });
      if (answer.status === 202) {                             // still reading: it has waited a while itself
        const words = await answer.text();
        if (asking !== state.asking) return;
        status.textContent = words;
        clearTimeout(state.timer); state.timer = setTimeout(ask, PAUSE);
      } else if (answer.ok) {
        const told = await answer.json();
        if (asking !== state.asking) return;
        show({ ...told, query: wanted });
        // Enter was meant for what was typed, and not for an answer to less of it.
        if (state.go !== undefined && wanted === input.value.trim()) { const go = state.go; state.go = undefined; lead(go); }
      } else fail(await answer.text());
    } catch (error) {
      if (error.name !== 'AbortError') fail('The server does not answer. Is it still running? Type again to retry.');
    } finally { clearTimeout(slow); }
  };
  const lead = apart => {
    const link = options()[Math.max(0, state.at)];
    if (!link) return;
    if (apart) { window.open(link.href, '_blank', 'noopener'); return; }
    dialog.close();
    travel(link.href);
  };
  const open = () => {
    if (dialog.open) { input.select(); return; }
    dialog.showModal(); input.select();
    ask();                                                     // hints, and what is stored is read meanwhile
  };

  button.onclick = open;
  root.querySelector('.close').onclick = () => dialog.close();
  dialog.onclick = event => { if (event.target === dialog) dialog.close(); };
  dialog.onclose = () => { state.asking?.abort(); state.go = undefined; clearTimeout(state.timer); };
  input.oninput = () => {
    state.go = undefined;
    list.classList.toggle('old', state.shown !== input.value.trim());
    clearTimeout(state.timer); state.timer = setTimeout(ask, PAUSE);
  };
  list.onclick = event => {
    const link = event.target.closest('a');
    if (!link) return;
    const apart = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!apart) dialog.close();
    follow(event);
  };
  dialog.onkeydown = event => {
    event.stopPropagation();                                   // no key of the page's own means anything here
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && !event.altKey) { event.preventDefault(); mark(state.at + by); return; }
    if (event.key === 'k' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); input.select(); return; }
    if (event.key !== 'Enter' || event.target !== input) return;
    event.preventDefault();
    const apart = event.ctrlKey || event.metaKey;
    if (state.shown === input.value.trim()) lead(apart);
    else state.go = apart;                                     // typed faster than answered
  };
  const keys = event => {
    const at = event.composedPath()[0], chord = event.key?.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    // A page with a search of its own keeps the key for it: it has been taken before it comes here.
    const slash = event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented
      && !at.matches?.('input, textarea, select, [contenteditable]');
    if ((!chord && !slash) || document.querySelector('[role=dialog]') || at.closest?.('dialog')) return;
    event.preventDefault();
    open();
  };
  addEventListener('keydown', keys);
  root.dataset.ready = 'on';                                   // a button that is seen works
  state.dispose = () => removeEventListener('keydown', keys);
  if (/Mac|iPhone|iPad/.test(navigator.platform)) root.querySelector('.open kbd').textContent = '⌘ K';
  return state.dispose;
}
