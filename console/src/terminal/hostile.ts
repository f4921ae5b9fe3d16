/** What a program on a node may make the page do: nothing but draw characters. */

import { visible, visibleLine } from '../ui/visible.ts';

/** The longest title that is shown. */
const TITLE_LENGTH_MAX = 80;
/** The longest text of a node or the server that is shown beside a screen. */
const REMARK_LENGTH_MAX = 2000;
/** The longest path that Linux knows, and the longest address that it may have. */
const PATH_LENGTH_MAX = 4096;
const ADDRESS_LENGTH_MAX = 3 * PATH_LENGTH_MAX + 300;
/** The longest link that is offered. */
const LINK_LENGTH_MAX = 2000;

/** A title that a program has set, on one line, with what is invisible or deceptive shown by name. */
export function titleText(title: string): string {
  // Programs may send millions of characters, many times a second. A character is at most two units.
  const beginning = title.slice(0, 2 * TITLE_LENGTH_MAX + 2).trim();
  const characters = Array.from(visibleLine(beginning));
  return characters.length > TITLE_LENGTH_MAX ? `${characters.slice(0, TITLE_LENGTH_MAX).join('')}…` : characters.join('');
}

/**
 * The directory that a shell says it is in (OSC 7, `file://host/path`); nothing if it is not one. Any program can say so, of any
 * host: whoever uses it shows it, and asks the node whether it is there.
 */
export function workingDirectory(address: string): string | undefined {
  const path = address.length > ADDRESS_LENGTH_MAX ? undefined : /^file:\/\/[^/]*(\/.*)$/su.exec(address)?.[1];
  try {
    const directory = decodeURIComponent(path ?? '');
    return directory.startsWith('/') && directory.length <= PATH_LENGTH_MAX && !/[\u0000-\u001f\u007f]/.test(directory) ? directory : undefined;
  } catch {
    return undefined;
  }
}

/** What an agent says, or why a session ended: lines of text, no longer than somebody reads. */
export function remarkText(text: string): string {
  return text.length > REMARK_LENGTH_MAX ? `${visible(text.slice(0, REMARK_LENGTH_MAX))}…` : visible(text);
}

/**
 * The address of a link that may be offered: `http` or `https`, without a user's name before the host. As the browser will
 * read it, so that a host in letters that look like others shows in its ASCII form.
 */
export function linkAddress(text: string): string | undefined {
  if (text.length > LINK_LENGTH_MAX) {
    return undefined;
  }
  try {
    const url = new URL(text);
    const isOffered = (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
    return isOffered ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Text to paste, without what could end the bracket around a paste or act as keys: controls other than tab and line ends,
 * of both sets.
 */
export function pasteText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '');
}

/** How many lines a paste would send; a line end at its end counts, since it runs what stands before it. */
export function pastedLines(text: string): number {
  return text.split(/[\r\n]/).length;
}
