/**
 * Leaves out parts of Cloudscape that only AWS's own console can turn on, and that every page would load: the drawer in which that
 * console announces its features brings a sortable list with it, with a library for dragging.
 */

import type { Plugin } from 'vite';

const UNUSED = /app-layout\/visual-refresh-toolbar\/drawer\/feature-notifications-drawer-content\.js$/;

/** The build step. What is left out draws nothing. */
export function unused(): Plugin {
  return {
    name: 'postern:unused',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      return UNUSED.test(id) ? 'const LeftOut = () => null; export { LeftOut as default, LeftOut as RuntimeContentPart };' : undefined;
    },
  };
}
