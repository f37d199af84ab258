// Streamlit's own slider answers on release only; this one sends while it is dragged, at most every 60 ms.
export default function({ data, parentElement, setStateValue, setTriggerValue }) {
  const input = parentElement.querySelector('input'), output = parentElement.querySelector('output');
  parentElement.querySelector('span').textContent = data.label;
  input.setAttribute('aria-label', data.label);
  const show = () => { output.value = (+input.value).toFixed(data.digits) + data.suffix; };
  if (!input.dataset.ready) { input.dataset.ready = 1; input.min = data.low; input.max = data.high; input.step = data.step; input.value = data.value; }
  else if (parentElement.activeElement !== input) input.value = data.value;
  show();
  let waiting = null;
  input.oninput = () => {
    show();
    if (waiting === null) waiting = setTimeout(() => { waiting = null; setStateValue('value', +input.value); }, 60);
  };
  input.onchange = () => { clearTimeout(waiting); waiting = null; input.blur(); setTriggerValue('settled', +input.value); };
}
