export default function({ parentElement }) {
  const button = parentElement.querySelector('button');
  button.onclick = async () => {
    const address = location.href;
    try { await navigator.clipboard.writeText(address); }
    catch {                                                  // plain http without localhost has no clipboard interface
      const field = document.createElement('textarea');
      field.value = address; document.body.append(field); field.select(); document.execCommand('copy'); field.remove();
    }
    button.textContent = 'Copied ✓';
    setTimeout(() => { button.textContent = 'Copy link'; }, 1600);
  };
}
