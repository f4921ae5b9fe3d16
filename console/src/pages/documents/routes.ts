import type { Route } from '../../router/route.ts';

export const routes: readonly Route[] = [];
