// Escape leaves a box or a table, and that is all it does: Streamlit's own would also take away what was chosen
// there. Heard before Streamlit hears it, once per page.
const boxes = ['stSelectbox', 'stMultiSelect', 'stDataFrame'].map(name => `[data-testid="${name}"]`).join();
export default function() {
  if (document.body.dataset.keys) return;
  document.body.dataset.keys = 'on';
  addEventListener('keydown', event => {
    const here = event.composedPath()[0];
    if (event.key !== 'Escape' || !here.closest?.(boxes)) return;
    if (here.getAttribute('aria-expanded') === 'true') return;      // closes its list, and the choice stays
    if (here.closest('[data-testid="stDataFrame"]') && here.matches('input, textarea')) return;   // its search
    event.stopImmediatePropagation(); event.preventDefault();
    here.blur();
  }, true);
}
