/** Sorts what is shared by pages: what an entry loads before anything is seen, and what can follow. */
type Context = {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
};

/** What every page needs though no module imports it: Vite's loader of pages, and the style that the page names. */
const PUT_IN = /vite\/preload-helper|design\/base\.css$/;

/** The name of a chunk for a module: `NAME` where the entry imports it at once, `NAME-later` where it does not. */
export function first(name: string, entry: string): (id: string, context: Context) => string {
  let reached: Set<string> | undefined;
  return (id, context) => {
    reached ??= reachable(entry, context);
    return reached.has(id) || PUT_IN.test(id) ? name : `${name}-later`;
  };
}

function reachable(entry: string, context: Context): Set<string> {
  if (!context.getModuleInfo(entry)?.importedIds.length) throw new Error(`the entry \`${entry}\` is not there, or imports nothing`);
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    context.getModuleInfo(id)?.importedIds.forEach(visit);
  };
  visit(entry);
  return found;
}
