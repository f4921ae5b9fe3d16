/** The bar at the top: the product, the appearance, the account. */

import TopNavigation, { type TopNavigationProps } from '@cloudscape-design/components/top-navigation';

import { switchBack } from '../api/console.ts';
import type { SignIn } from '../api/console.ts';
import { href, navigate } from '../router/location.ts';
import { askSignIn, signOut, useSignIn } from '../sign-in/state.ts';
import { frameTexts } from '../texts/frame.ts';
import { problemOf } from '../ui/problem.ts';
import { visibleLine } from '../ui/visible.ts';
import { notify } from './notifications.ts';
import { chooseTheme, useTheme, type Theme } from './theme.ts';

const texts = frameTexts;

export function TopBar() {
  const signIn = useSignIn();
  const theme = useTheme();
  return (
    <TopNavigation
      identity={{ href: href('/'), title: texts.product, logo: { src: '/console/postern.svg', alt: texts.logo } }}
      utilities={[themeMenu(theme), accountMenu(signIn)]}
    />
  );
}

function themeMenu(theme: Theme): TopNavigationProps.Utility {
  const names: readonly Theme[] = ['light', 'dark', 'system'];
  return {
    type: 'menu-dropdown',
    iconName: 'settings',
    ariaLabel: texts.theme.label,
    title: texts.theme.label,
    items: names.map((name) => ({ id: name, text: texts.theme[name], itemType: 'checkbox', checked: name === theme })),
    onItemClick: ({ detail }) => chooseTheme(names.find((name) => name === detail.id) ?? 'system'),
  };
}

function accountMenu(signIn: SignIn): TopNavigationProps.Utility {
  const who = visibleLine(signIn.role?.sessionName ?? signIn.userName ?? signIn.principalArn);
  const switching = signIn.role
    ? { id: 'switch-back', text: texts.account.switchBack }
    : { id: 'switch-role', text: texts.account.switchRole, href: href('/switch-role') };
  return {
    type: 'menu-dropdown',
    iconName: 'user-profile',
    text: who,
    title: who,
    ariaLabel: `${texts.account.label}: ${who}`,
    description: visibleLine(signIn.principalArn),
    items: [
      switching,
      { id: 'passkeys', text: texts.account.passkeys, href: href('/passkeys') },
      { id: 'sign-ins', text: texts.account.signIns, href: href('/sign-ins') },
      { id: 'sign-out', text: texts.account.signOut },
    ],
    onItemClick: ({ detail }) => act(detail.id),
  };
}

function act(id: string): void {
  if (id === 'sign-out') {
    signOut().catch(report);
  }
  if (id === 'switch-back') {
    switchBack().then(askSignIn).then(() => navigate('/')).catch(report);
  }
}

function report(error: unknown): void {
  const { header, message } = problemOf(error);
  notify({ type: 'error', header, content: message });
}
