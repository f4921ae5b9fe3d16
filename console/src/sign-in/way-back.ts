/** Where one was before signing in. */

const KEY = 'postern.way-back';

/** A path of the console, if that is what it is: an address from outside leads to the first page. */
export function wayBack(to: string | null): string {
  return to !== null && /^\/(?![/\\])/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}

/** Keeps it while another site has the browser. */
export function rememberWayBack(to: string | null): void {
  try {
    window.sessionStorage.setItem(KEY, wayBack(to));
  } catch {
    // Without storage the way leads to the first page.
  }
}

/** What was kept, once. */
export function takeWayBack(): string {
  try {
    const to = window.sessionStorage.getItem(KEY);
    window.sessionStorage.removeItem(KEY);
    return wayBack(to);
  } catch {
    return '/';
  }
}
