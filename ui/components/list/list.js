export default function({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.list');
  const part = (row, kind, text) => { const node = document.createElement(kind); node.textContent = text; row.append(node); return node; };
  root.replaceChildren(...data.rows.map(([concept, tone, category, detectors, unit, iou]) => {
    const row = document.createElement('button'), chosen = concept === data.chosen;
    row.type = 'button'; row.className = 'row';
    row.setAttribute('role', 'option'); row.setAttribute('aria-selected', String(chosen));
    const name = part(row, 'span', `${chosen ? '▸ ' : ''}${concept} `);
    const mark = document.createElement('i'); mark.style.setProperty('--tone', tone); name.prepend(mark);
    part(name, 'small', category);
    part(row, 'span', detectors).className = 'end';
    part(part(row, 'span', ''), 'small', unit);
    part(row, 'span', iou && `IoU ${iou}`).className = 'end';
    row.addEventListener('click', () => setTriggerValue('picked', concept));
    return row;
  }));
}
