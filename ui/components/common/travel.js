// A link inside a component leads on as the browser's own Back and Forward do: one entry in the history, and
// the page changes without being loaded anew. With a modifier, or another button, it is an ordinary link.
const travel = href => {
  const to = new URL(href, location.origin);
  if (to.href === location.href) return;
  history.pushState({}, '', to.href);
  dispatchEvent(new PopStateEvent('popstate'));
};
const follow = event => {
  const link = event.target.closest('a[href]');
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  travel(link.href);
};
