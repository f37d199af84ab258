// Ask for the next step once this one is on screen: two frames, as the first one only schedules the paint.
export default function({ data, parentElement, setTriggerValue }) {
  const state = (parentElement._carry ??= {});
  clearTimeout(state.timer);
  if (!data.token || data.token === state.token) return;
  state.token = data.token;
  // A tab in the background paints nothing: it goes on all the same, after a moment.
  const go = () => { clearTimeout(state.timer); if (state.sent !== data.token) { state.sent = data.token; setTriggerValue('next', data.token); } };
  state.timer = setTimeout(go, 400);
  requestAnimationFrame(() => requestAnimationFrame(go));
}
