/** What a file of a node may be called on the computer of who downloads it. */

import { withoutBidi } from '../ui/bidi.ts';

/** Leaves room for ` (1)` and for what browsers add, below the 255 bytes of most file systems. */
const NAME_LENGTH_MAX = 120;
/** Of an extension, so that a long name keeps it. */
const EXTENSION = /\.[\w-]{1,12}$/;
/** What no system, or not Windows, has in names; what cannot be seen; and what is no character. */
const UNFIT = /[\u0000-\u001f\u007f-\u009f<>:"/\\|?*\u00ad\u034f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\uffff]|[\ud800-\udfff]/gu;
/** Devices of Windows, with any extension. Source: Microsoft, Naming Files, Paths, and Namespaces. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)/i;

/**
 * The name as a file of any system can have it, without what would hide its end or lead elsewhere: no path, nothing
 * invisible, no leading dot, no space or dot at the end.
 */
export function downloadName(name: string): string {
  const shown = withoutBidi(name).replaceAll(UNFIT, '_').replace(/^[.\s]+/, '').replace(/[.\s]+$/, '');
  const sound = shown.replace(DEVICE, '_$&');
  return cut(sound) || 'download';
}

function cut(name: string): string {
  const characters = Array.from(name);
  if (characters.length <= NAME_LENGTH_MAX) {
    return name;
  }
  const extension = EXTENSION.exec(name)?.[0] ?? '';
  return characters.slice(0, NAME_LENGTH_MAX - extension.length).join('').trimEnd() + extension;
}
