/** Pages by path. */

import type { ComponentType } from 'react';

/** The values of a pattern's `:names`. */
export type Parameters = Readonly<Record<string, string>>;

/** What a page gets. */
export interface PageProps {
  readonly parameters: Parameters;
}

/** A link of the trail above a page. The last one is the page itself. */
export interface Crumb {
  readonly text: string;
  /** A path of the console. */
  readonly path: string;
}

/** How a page fills the frame. */
export type Layout = 'form' | 'table' | 'default' | 'full';

/** A page and where it is. */
export interface Route {
  /** `/nodes/:nodeId`: a segment with a colon takes any one segment. */
  readonly pattern: string;
  /** The browser's title. Text from outside is shown as `visible` makes it. */
  readonly title: (parameters: Parameters) => string;
  /** The trail above the page, from the area to the page. */
  readonly crumbs: (parameters: Parameters) => readonly Crumb[];
  /** `full` has no navigation and no padding: the page is the window below the top bar. */
  readonly layout: Layout;
  /** Loads the page's module, which exports it as its default. */
  readonly load: () => Promise<{ default: ComponentType<PageProps> }>;
}

/** A route that fits a path. */
export interface Match {
  readonly route: Route;
  readonly parameters: Parameters;
}

/** The first route whose pattern fits. */
export function matchRoute(routes: readonly Route[], path: string): Match | undefined {
  for (const route of routes) {
    const parameters = matchPattern(route.pattern, path);
    if (parameters) {
      return { route, parameters };
    }
  }
  return undefined;
}

/** The parameters of a path that fits the pattern. */
export function matchPattern(pattern: string, path: string): Parameters | undefined {
  const wanted = segments(pattern);
  const given = segments(path);
  if (wanted.length !== given.length) {
    return undefined;
  }
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const value = decoded(given[index] ?? '');
    if (value === undefined || (!segment.startsWith(':') && segment !== value)) {
      return undefined;
    }
    if (segment.startsWith(':')) {
      parameters[segment.slice(1)] = value;
    }
  }
  return parameters;
}

/** A path of a pattern with its `:names` filled in. */
export function pathOf(pattern: string, parameters: Parameters): string {
  return pattern.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''));
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
