/** Where the browser is, inside the console. The address bar is the only state. */

import { useSyncExternalStore } from 'react';

/** The console's place on the server, as in `base` of vite.config.ts. */
const BASE = '/console';
/** Below this, requests of the browser are the server's business. */
const SERVER_PATHS = [`${BASE}/api/`, `${BASE}/follow/`];

/** An address inside the console. */
export interface Location {
  /** Begins with a slash, without `/console`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Without `#`. */
  readonly fragment: string;
}

/** How an address enters the history. */
export type Entry = 'push' | 'replace';

const listeners = new Set<() => void>();
let current: Location = read();

/** The address of a path of the console, for `href`. */
export function href(path: string): string {
  return BASE + path;
}

/** Goes to a path of the console, which may have a query and a fragment. */
export function navigate(path: string, entry: Entry = 'push'): void {
  if (entry === 'push') {
    window.history.pushState(null, '', href(path));
  } else {
    window.history.replaceState(null, '', href(path));
  }
  changed();
}

/** Changes the query and nothing else. */
export function replaceQuery(query: URLSearchParams): void {
  const text = query.toString();
  navigate(current.path + (text && `?${text}`) + (current.fragment && `#${current.fragment}`), 'replace');
}

/** The address, and again whenever it changes. */
export function useLocation(): Location {
  return useSyncExternalStore(subscribe, () => current);
}

/** The address now. */
export function location(): Location {
  return current;
}

/** The path with query and fragment, to come back to. */
export function here(): string {
  const query = current.query.toString();
  return current.path + (query && `?${query}`) + (current.fragment && `#${current.fragment}`);
}

/** Makes every plain link into the console navigate without loading the page again. Ends with `signal`. */
export function followLinks(signal: AbortSignal): void {
  document.addEventListener('click', onClick, { signal });
  window.addEventListener('popstate', changed, { signal });
}

function onClick(event: MouseEvent): void {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (event.defaultPrevented || !isPlain || !(event.target instanceof Element)) {
    return;
  }
  const link = event.target.closest('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target === '_blank' || link.hasAttribute('download')) {
    return;
  }
  const url = new URL(link.href);
  const isOurs = url.origin === window.location.origin && url.pathname.startsWith(`${BASE}/`);
  if (!isOurs || SERVER_PATHS.some((path) => url.pathname.startsWith(path))) {
    return;
  }
  event.preventDefault();
  navigate(url.pathname.slice(BASE.length) + url.search + url.hash);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function changed(): void {
  current = read();
  listeners.forEach((listener) => listener());
}

function read(): Location {
  const { pathname, search, hash } = window.location;
  const path = pathname.startsWith(`${BASE}/`) ? pathname.slice(BASE.length) : '/';
  return { path, query: new URLSearchParams(search), fragment: hash.slice(1) };
}
