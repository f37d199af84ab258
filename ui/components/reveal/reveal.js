// Bring a section into view when what it shows has changed by a click, not when a link opens it.
export default function({ data, parentElement }) {
  const state = (parentElement._reveal ??= { token: data.token });
  if (state.token === data.token) return;
  state.token = data.token;
  if (!data.token) return;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const look = tries => {
    const section = document.querySelector(data.section);
    if (!section) return tries && setTimeout(look, 60, tries - 1);
    const { top } = section.getBoundingClientRect();
    if (top < 60 || top > innerHeight * .7) section.scrollIntoView({ behavior: calm ? 'auto' : 'smooth', block: 'start' });
  };
  setTimeout(look, 60, 20);                                    // after the charts above it have their height
}
