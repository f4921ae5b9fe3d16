import { pathOf, type Crumb, type Parameters, type Route } from '../router/route.ts';
import { frameTexts } from '../texts/frame.ts';
import { replayTexts } from '../texts/replay.ts';
import { visibleLine } from '../ui/visible.ts';

function trail({ sessionId = '' }: Parameters, page: Crumb): Crumb[] {
  return [
    { text: frameTexts.navigation.sessions, path: '/sessions' },
    { text: visibleLine(sessionId), path: pathOf('/sessions/:sessionId', { sessionId }) },
    page,
  ];
}

const REPLAY = '/sessions/:sessionId/replay';
const FOLLOW = '/sessions/:sessionId/follow';

export const routes: readonly Route[] = [
  {
    pattern: REPLAY,
    title: ({ sessionId = '' }) => replayTexts.title(visibleLine(sessionId)),
    crumbs: (parameters) => trail(parameters, { text: replayTexts.short, path: pathOf(REPLAY, parameters) }),
    layout: 'default',
    load: () => import('./ReplayPage.tsx'),
  },
  {
    pattern: FOLLOW,
    title: ({ sessionId = '' }) => replayTexts.followTitle(visibleLine(sessionId)),
    crumbs: (parameters) => trail(parameters, { text: replayTexts.followShort, path: pathOf(FOLLOW, parameters) }),
    layout: 'default',
    load: () => import('../follow/FollowPage.tsx'),
  },
];
