/** Searches what was printed, and goes to the moment. */

import { useMemo, useState } from 'react';

import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { replayTexts } from '../texts/replay.ts';
import { visibleLine } from '../ui/visible.ts';
import { clock } from './clock.ts';
import { MATCHES_MAX, search, type Line } from './plain-text.ts';

const texts = replayTexts.search;
/** The part of a line that is shown. */
const EXCERPT_LENGTH = 160;

export function SearchPanel({ lines, onSeek }: { readonly lines: readonly Line[]; readonly onSeek: (at: number) => void }) {
  const [wanted, setWanted] = useState('');
  const matches = useMemo(() => search(lines, wanted), [lines, wanted]);
  return (
    <SpaceBetween size="xs">
      <FormField label={texts.label} description={wanted !== '' && <output>{texts.count(matches.length, MATCHES_MAX)}</output>}>
        <Input type="search" value={wanted} placeholder={texts.placeholder} onChange={({ detail }) => setWanted(detail.value)} />
      </FormField>
      {matches.length > 0 && (
        <ul className="replay-matches" aria-label={texts.results}>
          {matches.map(({ line, at, text }) => (
            <li key={line}>
              <Button variant="inline-link" onClick={() => onSeek(at)} ariaLabel={texts.at(clock(at), excerpt(text, wanted))}>
                <span className="replay-match">{texts.at(clock(at), excerpt(text, wanted))}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
    </SpaceBetween>
  );
}

/** The line around what was looked for. */
function excerpt(text: string, wanted: string): string {
  const start = Math.max(0, text.toLowerCase().indexOf(wanted.toLowerCase()) - EXCERPT_LENGTH / 4);
  return visibleLine(text.slice(start, start + EXCERPT_LENGTH).trim());
}
