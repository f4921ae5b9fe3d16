import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { budget } from './build/budget.ts';
import { compress } from './build/compress.ts';
import { firstPage, isOfFirstPage } from './build/first-page.ts';
import { fonts } from './build/fonts.ts';
import { licences } from './build/licences.ts';
import { unused } from './build/unused.ts';

/** The server that `npm run dev` speaks to; `make dev` starts one there. */
const SERVER = process.env['POSTERN_URL'] ?? 'https://localhost:8443';

export default defineConfig({
  base: '/console/',
  plugins: [firstPage(), fonts(), unused(), react(), licences(), compress(), budget()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    manifest: true,
    // The polyfill is a script of its own that every browser of the target does without.
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false }, output: { codeSplitting: { groups: [{ name: 'first-page', test: isOfFirstPage }] } } },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2048,
  },
  server: {
    proxy: Object.fromEntries(
      // The server answers pages of its own origin only, so these requests come from there.
      ['^/(console/(api|follow)|v1)/', '^/$'].map((path) => [
        path,
        { target: SERVER, secure: false, ws: true, changeOrigin: true, headers: { Origin: SERVER } },
      ]),
    ),
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    server: { deps: { inline: [/@cloudscape-design/] } },
  },
});
