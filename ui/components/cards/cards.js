// Picture, place and numbers, all of it a link.
export default function({ data, parentElement }) {
  const root = parentElement.querySelector('.cards'), pictures = data.cards.some(([, source]) => source);
  root.classList.toggle('words', !pictures);
  keepFocus(root, link => link.href, () => root.replaceChildren(...data.cards.map(([href, source, title, text]) => {
    const link = Object.assign(document.createElement('a'), { href });
    const image = !pictures ? '' : source
      ? Object.assign(new Image(), { src: new URL(source, location.origin).href, alt: '', loading: 'lazy', decoding: 'async' })
      : Object.assign(document.createElement('span'), { className: 'none' });
    link.append(image, Object.assign(document.createElement('strong'), { textContent: title }),
      Object.assign(document.createElement('small'), { textContent: text }));
    return link;
  })));
  root.onclick = follow;
}
