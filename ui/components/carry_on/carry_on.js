// Ask for the next step once this one is on screen: two frames, as the first one only schedules the paint.
export default function({ data, parentElement, setTriggerValue }) {
  const state = (parentElement._carry ??= {});
  const end = () => { clearTimeout(state.timer); state.gone?.abort(); };
  const gone = () => setTimeout(() => { if (!parentElement.isConnected) end(); });
  if (data.token && data.token === state.token) return gone;   // drawn again, with nothing new: what is on its way stays
  end();
  state.token = data.token;
  if (!data.token) return gone;
  const go = () => { clearTimeout(state.timer); if (state.sent !== data.token) { state.sent = data.token; setTriggerValue('next', data.token); } };
  // A tab in the background paints nothing: it goes on all the same, after a moment.
  state.timer = setTimeout(go, data.pause || 400);
  if (!data.pause) requestAnimationFrame(() => requestAnimationFrame(go));
  // Whoever moves a slider asks for something else soon: a step that is under way would hold that up, and one that is
  // asked for before the address says what was typed would bring back what it said before. So it waits until it does.
  state.gone = new AbortController();
  addEventListener('unitscope:step', () => { clearTimeout(state.timer); state.timer = setTimeout(go, 3000); }, { signal: state.gone.signal });
  return gone;
}
