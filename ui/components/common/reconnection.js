// Streamlit's own script connects again by itself, and then asks for nothing: where the server has died or has
// forgotten the session meanwhile, what the page shows belongs to nobody, and its parts answer no click. The
// address holds the whole view, so the page is loaded again.
function reloadOnceForgotten(base, session) {
  const before = document.body.dataset.session;
  document.body.dataset.session = session;
  if (before !== undefined) return;                      // once per page; the first websocket is open by now
  const known = async () => {
    const answer = await fetch(`${base}/api/session/${document.body.dataset.session}`, { cache: 'no-store' });
    if (answer.ok && (await answer.json()).known === false) location.reload();
  };
  window.WebSocket = class extends window.WebSocket {
    constructor(...asked) {
      super(...asked);
      this.addEventListener('open', () => setTimeout(() => known().catch(() => {}), 200));
    }
  };
}
