export default function({ data, parentElement }) {
  const button = parentElement.querySelector('button');
  button.onclick = async () => {
    // Streamlit leaves defaults out of the address; another installation may have others.
    const link = new URL(location.href);
    for (const [name, value] of Object.entries(data)) if (!link.searchParams.has(name)) link.searchParams.set(name, value);
    const address = link.href;
    try { await navigator.clipboard.writeText(address); }
    catch {                                                  // plain http without localhost has no clipboard interface
      const field = document.createElement('textarea');
      field.value = address; document.body.append(field); field.select(); document.execCommand('copy'); field.remove();
    }
    button.textContent = 'Copied ✓';
    setTimeout(() => { button.textContent = 'Copy link'; }, 1600);
  };
}
