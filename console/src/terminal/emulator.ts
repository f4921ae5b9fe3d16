/** xterm.js as this console uses it: the one place that knows it. */

import '@xterm/xterm/css/xterm.css';

import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { Terminal, type ITerminalOptions, type ITheme } from '@xterm/xterm';

import type { Size } from '../channel/payload.ts';
import { linkAddress, titleText, workingDirectory } from './hostile.ts';
import { OutputText } from './output.ts';

/** How a terminal looks and is read. */
export interface Appearance {
  readonly isDark: boolean;
  readonly fontSize: number;
  readonly screenReader: boolean;
}

/** What an emulator tells. */
export interface Listener {
  /** Something was typed. */
  readonly typed?: (input: Uint8Array) => void;
  readonly resized?: () => void;
  /** A program set a title: harmless text. */
  readonly titled?: (title: string) => void;
  /** A program says in which directory it is. */
  readonly moved?: (directory: string | undefined) => void;
  /** A link was clicked, whose address may be offered. */
  readonly linked?: (address: string) => void;
  readonly found?: (index: number, count: number) => void;
  /** A key that is the console's: `false` keeps it from the terminal. */
  readonly key?: (event: KeyboardEvent) => boolean;
}

const FONTS = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, 'Noto Sans Mono', monospace";
/** Smaller letters are no help; then one scrolls. */
const FONT_SIZE_READABLE = 7;
/** Lines kept: a few MB of memory a terminal. */
const SCROLLBACK_LINES = 10_000;

const DARK: ITheme = {
  background: '#0f141a',
  foreground: '#d5dbe1',
  cursor: '#d5dbe1',
  selectionBackground: '#33577f',
};
const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#16191f',
  cursor: '#16191f',
  cursorAccent: '#ffffff',
  selectionBackground: '#b8d4f5',
  black: '#16191f',
  red: '#b0132b',
  green: '#1c6b2a',
  yellow: '#7a5600',
  blue: '#0b4fb3',
  magenta: '#8b2393',
  cyan: '#0a6370',
  white: '#5a6572',
  brightBlack: '#5a6572',
  brightRed: '#c2203a',
  brightGreen: '#23762f',
  brightYellow: '#7f5b00',
  brightBlue: '#1a5fd0',
  brightMagenta: '#9b30a3',
  brightCyan: '#0c6c7a',
  brightWhite: '#16191f',
};

/** The background of a terminal, for what stands around it. */
export function background(isDark: boolean): string {
  return (isDark ? DARK.background : LIGHT.background) ?? '';
}

export class Emulator {
  /** Stands wherever it is put; it lives on when its place goes. */
  readonly element: HTMLDivElement;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon();
  readonly #observer: ResizeObserver;
  readonly #output = new OutputText();
  #isOpen = false;

  constructor(appearance: Appearance, listener: Listener, options: ITerminalOptions = {}) {
    this.element = document.createElement('div');
    this.element.className = 'terminal-screen';
    const offer = (_: unknown, text: string) => {
      const address = linkAddress(text);
      if (address !== undefined) {
        listener.linked?.(address);
      }
    };
    this.#terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: false,
      fontFamily: FONTS,
      linkHandler: { activate: offer, allowNonHttpProtocols: false },
      macOptionIsMeta: true,
      minimumContrastRatio: 4.5,
      // At 1 the lowest pixels of a row, and so underscores, are cut off in some sizes.
      lineHeight: 1.1,
      scrollback: SCROLLBACK_LINES,
      // No program may move, resize or question the window.
      windowOptions: {},
      ...options,
      ...optionsOf(appearance),
    });
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(this.#search);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new WebLinksAddon((event, text) => offer(event, text)));
    // OSC 52: a program must neither read nor set the clipboard. Handled, so that no addon ever gets it.
    terminal.parser.registerOscHandler(52, () => true);
    // OSC 7: shells that say where they are. Only where files are uploaded unless the user chooses otherwise.
    terminal.parser.registerOscHandler(7, (address) => {
      listener.moved?.(workingDirectory(address));
      return true;
    });
    terminal.onTitleChange((title) => listener.titled?.(titleText(title)));
    terminal.onData((text) => listener.typed?.(encoder.encode(text)));
    terminal.onBinary((text) => listener.typed?.(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    terminal.onResize(() => listener.resized?.());
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => listener.found?.(resultIndex + 1, resultCount));
    if (listener.key) {
      terminal.attachCustomKeyEventHandler(listener.key);
    }
    this.#observer = new ResizeObserver(() => this.fit());
  }

  /** Draws into `parent`. */
  attach(parent: HTMLElement): void {
    parent.append(this.element);
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#terminal.open(this.element);
      this.#useWebgl();
    }
    this.#observer.observe(this.element);
    this.fit();
  }

  /** Leaves its place, and keeps what it shows. */
  detach(): void {
    this.#observer.disconnect();
    this.element.remove();
  }

  dispose(): void {
    this.detach();
    this.#terminal.dispose();
  }

  write(output: Uint8Array | string, written?: () => void): void {
    this.#terminal.write(this.#output.next(output), written);
  }

  /** Takes the size of its place, unless that is hidden or the size is given. */
  fit(): void {
    if (this.element.clientWidth > 0 && this.element.clientHeight > 0 && this.#fits) {
      this.#fit.fit();
    }
  }

  /** From now on the size is given, as that of a session that somebody else types into. */
  resize({ cols, rows }: Size): void {
    this.#fits = false;
    this.#terminal.resize(cols, rows);
    requestAnimationFrame(() => this.#shrinkToFit());
  }
  #fits = true;

  get size(): Size {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** Looks like that from now on. */
  look(appearance: Appearance): void {
    Object.assign(this.#terminal.options, optionsOf(appearance));
    this.fit();
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  /** Whether the program wants to be told that text was pasted. */
  get isPasteBracketed(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  paste(text: string): void {
    this.#terminal.paste(text);
  }

  focus(): void {
    this.#terminal.focus();
  }

  clear(): void {
    this.#terminal.clear();
  }

  scrollToBottom(): void {
    this.#terminal.scrollToBottom();
  }

  /** Marks what is looked for, and goes to the next or previous place. */
  search(text: string, direction: 'next' | 'previous'): void {
    const options = { decorations: { matchOverviewRuler: '#8a6d00', activeMatchColorOverviewRuler: '#d13212', matchBackground: '#7a6000', activeMatchBackground: '#d97706' } };
    if (direction === 'next') {
      this.#search.findNext(text, options);
    } else {
      this.#search.findPrevious(text, options);
    }
  }

  endSearch(): void {
    this.#search.clearDecorations();
  }

  /** Makes the letters so small that a line of a given size fits its place. */
  #shrinkToFit(): void {
    const needed = this.element.querySelector('.xterm-screen')?.clientWidth ?? 0;
    const available = this.element.clientWidth;
    const { fontSize = FONT_SIZE_READABLE } = this.#terminal.options;
    if (needed > available && available > 0 && fontSize > FONT_SIZE_READABLE) {
      this.#terminal.options.fontSize = Math.max(FONT_SIZE_READABLE, Math.floor((fontSize * available) / needed));
    }
  }

  /** Without WebGL xterm.js draws with the DOM: slower, and the same. */
  #useWebgl(): void {
    if (!hasFastWebgl()) {
      return;
    }
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => webgl.dispose());
      this.#terminal.loadAddon(webgl);
    } catch {
      // The browser has none.
    }
  }
}

const encoder = new TextEncoder();

/** Whether there is a graphics processor. WebGL without one blocks the page many times longer than the DOM would. */
function hasFastWebgl(): boolean {
  const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!context) {
    return false;
  }
  // The attribute above is only a wish; Chromium grants WebGL by SwiftShader all the same.
  const details = context.getExtension('WEBGL_debug_renderer_info');
  const renderer = String(context.getParameter(details ? details.UNMASKED_RENDERER_WEBGL : context.RENDERER));
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

function optionsOf({ isDark, fontSize, screenReader }: Appearance): ITerminalOptions {
  return { theme: isDark ? DARK : LIGHT, fontSize, screenReaderMode: screenReader };
}
