// Picture, place and numbers, all of it a link.
export default function({ data, parentElement }) {
  const root = parentElement.querySelector('.cards');
  keepFocus(root, link => link.href, () => root.replaceChildren(...data.cards.map(([href, source, title, text]) => {
    const link = Object.assign(document.createElement('a'), { href });
    const image = source
      ? Object.assign(new Image(), { src: new URL(source, location.origin).href, alt: '', loading: 'lazy', decoding: 'async' })
      : Object.assign(document.createElement('span'), { className: 'none' });
    link.append(image, Object.assign(document.createElement('strong'), { textContent: title }),
      Object.assign(document.createElement('small'), { textContent: text }));
    return link;
  })));
  root.onclick = follow;
}
