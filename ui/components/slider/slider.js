// Streamlit's own slider answers on release only; this one sends while it is dragged, at most every 60 ms.
export default function({ data, parentElement, setStateValue, setTriggerValue }) {
  const input = parentElement.querySelector('input'), output = parentElement.querySelector('output');
  parentElement.querySelector('span').textContent = data.label;
  const state = (input._state ??= {});
  // The thumb is ahead of the server while it is dragged, and for a moment after it was let go or moved by a key.
  const ahead = value => {
    if (state.told && (state.told.value === value || performance.now() - state.told.at > 3000)) state.told = undefined;
    return state.held || state.told;
  };
  input.setAttribute('aria-label', data.label);
  const show = () => { output.value = (+input.value).toFixed(data.digits) + data.suffix; };
  if (!input.dataset.ready) { input.dataset.ready = 1; input.min = data.low; input.max = data.high; input.step = data.step; input.value = data.value; }
  else if (!ahead(data.value)) input.value = data.value;
  show();
  let waiting = null;
  input.oninput = () => {
    state.held = true;
    show();
    if (waiting === null) waiting = setTimeout(() => { waiting = null; setStateValue('value', +input.value); }, 60);
  };
  input.onchange = () => {
    clearTimeout(waiting); waiting = null;
    state.held = false; state.told = { value: +input.value, at: performance.now() };
    setTriggerValue('settled', +input.value);
  };
  // Who drags it back to where it was has changed nothing.
  input.onpointerup = input.onpointercancel = input.onblur = () => { state.held = false; };
}
