/**
 * Takes the fonts out of Cloudscape's style sheet, which carries eight of them in itself: a browser then loads only the weights
 * that a page uses, and after the page is there.
 */

import { createHash } from 'node:crypto';

import type { Plugin } from 'vite';

const FONT_FACE = /@font-face\s*\{([^}]*?)src:\s*url\(['"]?data:font\/woff2;base64,([A-Za-z0-9+/=]+)['"]?\)/g;

/** The build step. `npm run dev` does without. */
export function fonts(): Plugin {
  return {
    name: 'postern:fonts',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          const styles = Buffer.from(file.source).toString();
          file.source = styles.replaceAll(FONT_FACE, (_, properties: string, content: string) => {
            const source = Buffer.from(content, 'base64');
            const hash = createHash('sha256').update(source).digest('base64url').slice(0, 8);
            const name = `open-sans-${variant(properties)}-${hash}.woff2`;
            this.emitFile({ type: 'asset', fileName: `assets/${name}`, source });
            // Relative to the style sheet, which lies beside it.
            return `@font-face{${properties}font-display:swap;src:url(${name})`;
          });
        }
      }
    },
  };
}

function variant(properties: string): string {
  const weight = /font-weight:\s*(\d+)/.exec(properties)?.[1] ?? 'any';
  return properties.includes('italic') ? `${weight}-italic` : weight;
}
