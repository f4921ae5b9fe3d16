/**
 * An address of the server that this page came from, at the name that this page reaches it by: a websocket of another name
 * would be another origin. An address of another server stays.
 */
export function reachable(address: string, publicUrl: string): string {
  const url = new URL(address);
  if (url.host === new URL(publicUrl).host) {
    url.host = window.location.host;
  }
  return url.href;
}
