const CHUNK = 200;                                             // rows made at once; more as one scrolls on

export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.table'), head = root.querySelector('.head');
  const state = (root._state ??= { sort: null, version: '' }), { columns, rows } = data.more;
  const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text ?? '' });
  const cellOf = cell => Array.isArray(cell) ? cell : [cell, cell, -1, '', ''];
  state.pick = row => { if (data.pick) setTriggerValue('picked', row); };

  const cell = (raw, column) => {
    const [text, , length, tone, href] = cellOf(raw);
    const made = make('span', `cell${column.number ? ' number' : ''}${column.narrow ? '' : ' wide'}${text === '' ? ' empty' : ''}`);
    made.setAttribute('role', data.pick ? 'gridcell' : 'cell');
    if (column.named) made.append(make('small', '', `${column.name} `));
    if (tone && length < 0) { const mark = make('i', ''); mark.style.setProperty('--tone', tone); made.append(mark); }
    if (length >= 0) {
      const bar = make('u', ''); bar.setAttribute('aria-hidden', 'true'); bar.style.setProperty('--length', `${100 * Math.min(1, length)}%`);
      if (tone) bar.style.setProperty('--tone', tone);
      made.classList.add('bar'); made.append(bar, make('span', '', text));
    } else if (href) { const link = make('a', '', text); link.href = new URL(href, location.origin).href; made.append(link); }
    else made.append(text);
    return made;
  };
  const rowOf = number => {
    const row = make('div', 'row'); row.dataset.row = number; row.setAttribute('role', 'row');
    row.append(...rows[number].map((raw, at) => cell(raw, columns[at])));
    if (data.pick) row.tabIndex = -1;
    return row;
  };
  const order = () => {
    const all = rows.map((_, number) => number);
    if (!state.sort) return all.sort((one, other) => (other === data.chosen) - (one === data.chosen));
    const { at, down } = state.sort, value = number => cellOf(rows[number][at])[1];
    const before = (one, other) => typeof one === 'number' ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
    return all.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null);
      return down ? before(b, a) : before(a, b);
    });
  };
  const mark = () => {
    const drawn = root.querySelectorAll('.row');
    if (!data.pick) return;
    drawn.forEach(row => { row.setAttribute('aria-selected', String(+row.dataset.row === data.chosen)); row.tabIndex = -1; });
    const first = root.querySelector('.row[aria-selected=true]') ?? drawn[0];
    if (first) first.tabIndex = 0;
  };
  const more = (count = CHUNK) => {
    root.append(...state.left.splice(0, count).map(rowOf));
    mark();
  };
  const whose = one => (one.closest('.row')?.firstElementChild ?? one).textContent;   // its first column says it
  const draw = () => {
    keepFocus(root, whose, held => {
      root.querySelectorAll('.row').forEach(row => row.remove());
      state.left = order();
      more();
      const name = held && whose(held), at = state.left.findIndex(number => cellOf(rows[number][0])[0] === name);
      if (at >= 0) more(at + 1);
    });
    head.querySelectorAll('[role=columnheader]').forEach((one, at) =>
      one.setAttribute('aria-sort', state.sort?.at !== at ? 'none' : state.sort.down ? 'descending' : 'ascending'));
  };
  const sort = at => {                                         // one way, the other way, as it came
    const first = columns[at].number, now = state.sort;
    if (now?.at !== at) state.sort = { at, down: first };
    else state.sort = now.down === first ? { at, down: !first } : null;
    root.scrollTop = 0;
    draw();
  };

  root.style.maxHeight = `${data.height}px`;
  root.classList.toggle('pick', data.pick);
  root.setAttribute('role', data.pick ? 'grid' : 'table');
  root.setAttribute('aria-label', data.what);
  root.setAttribute('aria-rowcount', rows.length + 1);
  if (state.version !== data.more_version) {
    if (state.heads !== String(columns.map(column => column.name))) state.sort = null;
    state.version = data.more_version; state.chosen = data.chosen; state.heads = String(columns.map(column => column.name));
    root.style.setProperty('--columns', columns.map(column => `minmax(0, ${column.share}fr)`).join(' '));
    keepFocus(head, whose, () => head.replaceChildren(...columns.map((column, at) => {
      const made = make('span', column.number ? 'number' : ''), button = make('button', '', column.name);
      made.setAttribute('role', 'columnheader'); button.type = 'button'; button.onclick = () => sort(at);
      if (column.help) { made.title = column.help; button.setAttribute('aria-description', column.help); }
      made.append(button);
      return made;
    })));
    draw();
  } else if (state.chosen !== data.chosen) {                   // what was pressed here stays where it was pressed
    state.chosen = data.chosen;
    if (state.pressed === data.chosen || data.chosen < 0) mark(); else { root.scrollTop = 0; draw(); }
  }
  root.onscroll = () => { if (state.left.length && root.scrollTop + root.clientHeight > root.scrollHeight - 600) more(); };
  root.onclick = event => {
    if (event.target.closest('a[href]')) return follow(event);
    const row = event.target.closest('.row');
    if (row) { state.pressed = +row.dataset.row; state.pick(state.pressed); }
  };
  root.onkeydown = event => {
    const row = event.target.closest('.row');
    if (!row || !data.pick || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); row.click(); return; }
    const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (to?.classList.contains('row')) { event.preventDefault(); to.tabIndex = 0; row.tabIndex = -1; to.focus(); }
  };
}
