// Leads to another page once the server has found out which: after a click in a figure, say.
export default function({ data, parentElement }) {
  if (!data.href || parentElement._went === data.token) return;
  parentElement._went = data.token;
  travel(new URL(data.href, location.origin).href);
}
