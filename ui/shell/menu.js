// The pages. A link carries what belongs to every page, as the address says it at the moment, and the view that
// its page was left with.
export default function({ data, parentElement }) {
  reloadOnceForgotten(data.base, data.session);
  const nav = parentElement.querySelector('nav');
  const href = page => {
    const here = new URLSearchParams(location.search), query = new URLSearchParams();
    for (const name of data.entry) if (here.get(name)) query.set(name, here.get(name));
    for (const [name, value] of Object.entries(page.view)) query.set(name, value);
    return `${data.base}/${page.path}${query.size ? `?${query}` : ''}`;
  };
  keepFocus(nav, link => link.textContent, () => nav.replaceChildren(...data.pages.map(page => {
    const link = Object.assign(document.createElement('a'), { textContent: page.title, href: href(page) });
    if (page.path === data.page) link.setAttribute('aria-current', 'page');
    for (const kind of ['pointerenter', 'pointerdown', 'focus']) link.addEventListener(kind, () => { link.href = href(page); });
    return link;
  })));
  nav.onclick = event => {
    const link = event.target.closest('a');
    if (!link) return;
    if (link.hasAttribute('aria-current')) { event.preventDefault(); return; }
    link.href = href(data.pages[[...nav.children].indexOf(link)]);
    follow(event);
  };

  // On a narrow screen the sidebar lies over the page: close it once it has led to another one.
  const before = document.body.dataset.page;
  document.body.dataset.page = data.page;
  if (before !== undefined && before !== data.page && innerWidth <= 768)
    document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();

  // Escape leaves a box, and that is all it does: Streamlit's own would also take away what was
  // chosen there. Heard before Streamlit hears it, once per page.
  if (document.body.dataset.keys) return;
  document.body.dataset.keys = 'on';
  const boxes = ['stSelectbox', 'stMultiSelect'].map(name => `[data-testid="${name}"]`).join();
  addEventListener('keydown', event => {
    const at = event.composedPath()[0];
    if (event.key !== 'Escape' || !at.closest?.(boxes)) return;
    if (at.getAttribute('aria-expanded') === 'true') return;      // closes its list, and the choice stays
    event.stopImmediatePropagation(); event.preventDefault();
    at.blur();
  }, true);
}
