// Runs in the reader's browser: search, folding, links that unfold what they lead to, and a button that copies a command.
const search = document.getElementById('search');
const found = document.getElementById('found');
const operations = [...document.querySelectorAll('details.operation')];
const sections = [...document.querySelectorAll('main > section')];

for (const tool of document.querySelectorAll('.tools [hidden], button.copy')) tool.hidden = false;
document.getElementById('setting').textContent = `export ADMIN=${location.origin} API_KEY=…`;

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const operation of operations) {
    operation.hidden = !words.every((word) => operation.dataset.search.includes(word));
    if (!operation.hidden) count += 1;
  }
  for (const section of sections) section.hidden = section.querySelector('details.operation:not([hidden])') === null;
  found.textContent = words.length === 0 ? '' : `${count} found`;
}

function targetId() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    // Somebody has written the address by hand.
    return '';
  }
}

function unfoldTarget() {
  const target = document.getElementById(targetId());
  if (target === null) return;
  if (target.hidden || target.closest('[hidden]') !== null) {
    search.value = '';
    filter();
  }
  if (target.tagName === 'DETAILS') target.open = true;
  target.scrollIntoView();
}

function foldAll(open) {
  for (const operation of operations) if (!operation.hidden) operation.open = open;
}

search.addEventListener('input', filter);
document.getElementById('expand').addEventListener('click', () => foldAll(true));
document.getElementById('collapse').addEventListener('click', () => foldAll(false));
document.addEventListener('click', async ({ target }) => {
  if (!(target instanceof HTMLElement) || !target.matches('button.copy')) return;
  await navigator.clipboard.writeText(target.parentElement.querySelector('pre').textContent);
  target.textContent = 'Copied';
});
// An operation that its reader opens stands in the address, so that it can be linked to; opening all of them leaves the address alone.
for (const operation of operations) {
  operation.querySelector('summary').addEventListener('click', () => {
    if (!operation.open) history.replaceState(null, '', `#${operation.id}`);
  });
}
window.addEventListener('hashchange', unfoldTarget);
unfoldTarget();
