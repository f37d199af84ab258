// Steps stand at even distances, whatever lies between them; a number between two steps stands between them.
export default function({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector('.steps'), range = root.querySelector('input[type=range]'), exact = root.querySelector('input[type=number]');
  const { steps } = data, last = steps.length - 1, state = (root._state ??= {});
  root.querySelector('.head span').textContent = data.label;
  range.setAttribute('aria-label', data.label); exact.setAttribute('aria-label', `${data.label}, exactly`);
  const place = value => {
    const next = steps.findIndex(step => step >= value);
    if (next < 0) return last;
    return next === 0 ? 0 : next - 1 + (value - steps[next - 1]) / (steps[next] - steps[next - 1]);
  };
  const text = value => String(+value.toFixed(3));
  const show = value => {
    state.now = value;
    const at = place(value);
    range.step = Number.isInteger(at) ? 1 : 'any';
    range.value = at;
    range.setAttribute('aria-valuetext', `${text(value)} %`);
    if (!state.typing && exact.value !== text(value)) exact.value = text(value);             // else what is marked in it would not be any more
    root.querySelectorAll('.ticks span').forEach((tick, k) => tick.classList.toggle('on', steps[k] === value));
  };
  // Whoever knows the step already draws it (components/bars); the server answers later.
  const tell = value => dispatchEvent(new CustomEvent('unitscope:step', { detail: text(value) }));
  // Drawings that were on their way show what was asked for before.
  const catchUp = () => { state.asked = null; if (!state.held) show(state.told); };
  const settle = value => {
    tell(value); clearTimeout(state.timer); state.timer = null; show(value);
    clearTimeout(state.waited); state.asked = value; state.waited = setTimeout(catchUp, 5000);
    setTriggerValue('settled', value);
  };
  if (root.dataset.steps !== String(steps)) {
    root.dataset.steps = String(steps); range.max = last;
    root.querySelector('.ticks').replaceChildren(...steps.map((step, k) => {
      const tick = Object.assign(document.createElement('span'), { textContent: text(step) });
      tick.style.left = 100 * k / last + '%';
      return tick;
    }));
  }
  state.told = data.value;
  if ((state.asked ?? null) !== null && text(data.value) === text(state.asked)) { clearTimeout(state.waited); state.asked = null; }
  if (!state.held && (state.asked ?? null) === null) show(data.value);
  root.querySelectorAll('.ticks span').forEach((tick, k) => { tick.onclick = () => settle(steps[k]); });
  range.oninput = () => {
    state.held = true;
    const value = steps[Math.round(+range.value)];
    if (value === state.now) { show(value); return; }
    show(value); tell(value);
    if (data.live) { clearTimeout(state.timer); state.timer = setTimeout(() => setStateValue('value', value), 40); }
  };
  range.onchange = () => { state.held = false; settle(steps[Math.round(+range.value)]); };
  range.onkeydown = event => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;                                         // from between two steps, an arrow leads to the next one
    event.preventDefault();
    const at = place(state.now), to = by > 0 ? Math.floor(at) + 1 : Math.ceil(at) - 1;
    const value = steps[Math.min(last, Math.max(0, to))];
    show(value);
    clearTimeout(state.timer); state.timer = setTimeout(() => settle(value), 140);
  };
  exact.oninput = () => { state.typing = true; };
  exact.onchange = () => {                                     // on Enter, too, which does not leave the box
    const value = Math.min(100, Math.max(0, +exact.value));
    state.typing = false;
    if (exact.value !== '' && Number.isFinite(value)) settle(value); else exact.value = text(state.now);
  };
  exact.onblur = () => { state.typing = false; show(state.now); };
  exact.onkeydown = event => {
    if (event.key === 'Escape') exact.value = text(state.now);  // what was typed is not meant
    // On a phone the keys on the screen lie over the chart.
    if (event.key === 'Escape' || (event.key === 'Enter' && matchMedia('(hover: none)').matches)) exact.blur();
  };
}
