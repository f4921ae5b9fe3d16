/** The terminals of one page and how they are laid out, as the address has it: `/terminal?session=a&session=b|c&at=1`. */

/** Sessions side by side, or one above the other. */
export type Direction = 'row' | 'column';

export interface Tab {
  readonly direction: Direction;
  readonly sessionIds: readonly string[];
}

export interface Workspace {
  readonly tabs: readonly Tab[];
  /** The tab that is shown. */
  readonly active: number;
}

/** Between the sessions of a tab. Neither can be in a session's id: those are of `[A-Za-z0-9_+=,.@-]`. */
const SEPARATORS: Readonly<Record<Direction, string>> = { row: '|', column: '~' };
const SESSION_ID = /^[\w+=,.@-]{1,96}$/;
/** More cannot be read on any screen; each is a websocket and a renderer. */
export const TABS_MAX = 12;
export const PANES_MAX = 4;

/** What the address says. What is no session's id is left out. */
export function readWorkspace(query: URLSearchParams): Workspace {
  const seen = new Set<string>();
  const tabs = query.getAll('session').slice(0, TABS_MAX).flatMap((text): Tab[] => {
    const direction: Direction = text.includes(SEPARATORS.column) ? 'column' : 'row';
    const sessionIds = text
      .split(SEPARATORS[direction])
      .filter((id) => SESSION_ID.test(id) && !seen.has(id))
      .slice(0, PANES_MAX);
    sessionIds.forEach((id) => seen.add(id));
    return sessionIds.length > 0 ? [{ direction, sessionIds }] : [];
  });
  const at = Number(query.get('at') ?? 0);
  return { tabs, active: Number.isInteger(at) && at >= 0 && at < tabs.length ? at : 0 };
}

/** The address that says that. */
export function pathOfWorkspace({ tabs, active }: Workspace): string {
  const query = new URLSearchParams();
  for (const { direction, sessionIds } of tabs) {
    query.append('session', sessionIds.join(SEPARATORS[direction]));
  }
  if (active > 0) {
    query.set('at', String(active));
  }
  return `/terminal?${query}`;
}

export function withTab(workspace: Workspace, sessionId: string): Workspace {
  const tabs = [...workspace.tabs, { direction: 'row' as const, sessionIds: [sessionId] }];
  return { tabs, active: tabs.length - 1 };
}

/** Puts another session beside those of the active tab. */
export function withPane(workspace: Workspace, sessionId: string, direction: Direction): Workspace {
  const tabs = workspace.tabs.map((tab, index) =>
    index === workspace.active
      ? { direction: tab.sessionIds.length > 1 ? tab.direction : direction, sessionIds: [...tab.sessionIds, sessionId] }
      : tab,
  );
  return { tabs, active: workspace.active };
}

export function without(workspace: Workspace, sessionId: string): Workspace {
  const tabs = workspace.tabs
    .map((tab) => ({ ...tab, sessionIds: tab.sessionIds.filter((id) => id !== sessionId) }))
    .filter((tab) => tab.sessionIds.length > 0);
  return { tabs, active: Math.max(0, Math.min(workspace.active, tabs.length - 1)) };
}

/** Another session in the place of one that ended. */
export function replaced(workspace: Workspace, former: string, next: string): Workspace {
  const tabs = workspace.tabs.map((tab) => ({
    ...tab,
    sessionIds: tab.sessionIds.map((id) => (id === former ? next : id)),
  }));
  return { ...workspace, tabs };
}
