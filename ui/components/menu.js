// On a narrow screen the sidebar lies over the page: close it once it has led to another one.
export default function({ data }) {
  const before = document.body.dataset.page;
  document.body.dataset.page = data.page;
  if (before === undefined || before === data.page || innerWidth > 768) return;
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}
