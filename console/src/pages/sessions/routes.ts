import { pathOf, type Crumb, type Route } from '../../router/route.ts';
import { frameTexts } from '../../texts/frame.ts';
import { startSessionTexts } from '../../texts/start-session.ts';
import { visibleLine } from '../../ui/visible.ts';

const area: Crumb = { text: frameTexts.navigation.sessions, path: '/sessions' };

export const routes: readonly Route[] = [
  {
    pattern: '/sessions',
    title: () => area.text,
    crumbs: () => [area],
    layout: 'table',
    load: () => import('./SessionsPage.tsx'),
  },
  {
    pattern: '/sessions/:sessionId',
    title: ({ sessionId = '' }) => visibleLine(sessionId),
    crumbs: ({ sessionId = '' }) => [area, { text: visibleLine(sessionId), path: pathOf('/sessions/:sessionId', { sessionId }) }],
    layout: 'default',
    load: () => import('./details/SessionPage.tsx'),
  },
  {
    pattern: '/start-session',
    title: () => startSessionTexts.title,
    crumbs: () => [area, { text: startSessionTexts.title, path: '/start-session' }],
    layout: 'form',
    load: () => import('../start-session/StartSessionPage.tsx'),
  },
];
