/** Where the reader is: the part of the address behind `#`, so that every page has an address. */

class Route {
  path = $state('/');
  query = $state.raw(new URLSearchParams());
}
export const route = new Route();

function read(): void {
  const [path = '', query = ''] = location.hash.replace(/^#/, '').split('?');
  route.path = path === '' ? '/' : path;
  route.query = new URLSearchParams(query);
}

export function startRouter(): void {
  read();
  window.addEventListener('hashchange', read);
}

export function go(path: string, options: { replace?: boolean } = {}): void {
  if (options.replace) {
    history.replaceState(null, '', `#${path}`);
    read();
  } else {
    location.hash = path;
  }
}

/** The parts of the present path that stand for the names in a pattern such as `/bills/:id`. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? '';
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(value);
    else if (part !== value) return undefined;
  }
  return found;
}
