import type { Route } from '../../router/route.ts';
import { passkeyTexts } from '../../texts/passkeys.ts';
import { signInTexts } from '../../texts/sign-in.ts';

export const routes: readonly Route[] = [
  {
    pattern: '/passkeys',
    title: () => passkeyTexts.title,
    crumbs: () => [{ text: passkeyTexts.title, path: '/passkeys' }],
    layout: 'default',
    load: () => import('./PasskeysPage.tsx'),
  },
  {
    pattern: '/sign-ins',
    title: () => signInTexts.signIns.title,
    crumbs: () => [{ text: signInTexts.signIns.title, path: '/sign-ins' }],
    layout: 'default',
    load: () => import('./SignInsPage.tsx'),
  },
  {
    pattern: '/switch-role',
    title: () => signInTexts.switchRole.title,
    crumbs: () => [{ text: signInTexts.switchRole.title, path: '/switch-role' }],
    layout: 'form',
    load: () => import('./SwitchRolePage.tsx'),
  },
];
