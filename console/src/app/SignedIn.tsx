/** The frame around the pages: top bar, navigation, trail, messages. */

import { lazy, Suspense, useEffect, useState, type ComponentType } from 'react';

import AppLayout from '@cloudscape-design/components/app-layout-toolbar';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import SideNavigation from '@cloudscape-design/components/side-navigation';

import { href, navigate, useLocation } from '../router/location.ts';
import { matchRoute, type Match, type PageProps, type Route } from '../router/route.ts';
import { frameTexts } from '../texts/frame.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Loading } from './Loading.tsx';
import { Messages } from './Messages.tsx';
import { activeArea, navigationItems } from './navigation.ts';
import { NotFound } from './NotFound.tsx';
import { FIRST_PATH, routes } from './routes.ts';
import { TopBar } from './TopBar.tsx';

const MOBILE = window.matchMedia('(max-width: 688px)');

export default function SignedIn() {
  const { path } = useLocation();
  const match = matchRoute(routes, path);
  const isFull = match?.route.layout === 'full';
  const [isOpen, setIsOpen] = useState(!MOBILE.matches);
  useFirstPath(path);
  useTitle(match);

  return (
    <>
      <div id="top">
        <TopBar />
      </div>
      <AppLayout
        headerSelector="#top"
        contentType={match?.route.layout === 'full' ? 'default' : (match?.route.layout ?? 'default')}
        disableContentPaddings={isFull}
        navigationHide={isFull}
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => setIsOpen(detail.open)}
        navigation={
          <SideNavigation
            header={{ text: frameTexts.navigation.sessionManager, href: href(FIRST_PATH) }}
            activeHref={activeArea(path)}
            items={navigationItems()}
            onFollow={() => MOBILE.matches && setIsOpen(false)}
          />
        }
        toolsHide
        breadcrumbs={!isFull && match && <Trail match={match} />}
        notifications={<Messages />}
        stickyNotifications
        ariaLabels={{
          navigation: frameTexts.navigation.label,
          navigationToggle: frameTexts.open,
          navigationClose: frameTexts.close,
          notifications: frameTexts.notifications,
        }}
        content={match ? <Page key={match.route.pattern} match={match} /> : <NotFound />}
      />
    </>
  );
}

/** A page, loaded when it is first shown. The key above makes an error of one page leave with that page. */
function Page({ match }: { readonly match: Match }) {
  const Content = component(match.route);
  return (
    <ErrorBoundary>
      <Suspense fallback={<Loading />}>
        <Content parameters={match.parameters} />
      </Suspense>
    </ErrorBoundary>
  );
}

function Trail({ match }: { readonly match: Match }) {
  const items = match.route.crumbs(match.parameters).map(({ text, path }) => ({ text, href: href(path) }));
  return <BreadcrumbGroup items={items} ariaLabel={frameTexts.breadcrumbs} />;
}

function useFirstPath(path: string): void {
  useEffect(() => {
    if (path === '/') {
      navigate(FIRST_PATH, 'replace');
    }
  }, [path]);
}

function useTitle(match: Match | undefined): void {
  const title = match ? match.route.title(match.parameters) : frameTexts.notFound.title;
  useEffect(() => {
    document.title = frameTexts.titleOf(title);
  }, [title]);
}

const components = new Map<Route, ComponentType<PageProps>>();

/** One component a route, made once: a new one would be a new page to React. */
function component(route: Route): ComponentType<PageProps> {
  const known = components.get(route) ?? lazy(route.load);
  components.set(route, known);
  return known;
}
