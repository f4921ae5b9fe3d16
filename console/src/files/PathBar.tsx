/** The directories above the one that is shown, each a step back. */

import type { RefObject } from 'react';

import Button from '@cloudscape-design/components/button';

import { filesTexts as texts } from '../texts/files.ts';
import { visibleLine } from '../ui/visible.ts';
import { stepsTo } from './paths.ts';

interface Props {
  readonly place: RefObject<HTMLElement | null>;
  readonly path: string;
  readonly home: string;
  readonly onOpen: (path: string) => void;
}

export function PathBar({ place, path, home, onOpen }: Props) {
  const steps = [{ name: '/', path: '/' }, ...stepsTo(path)];
  return (
    <nav ref={place} className="files-path" aria-label={texts.pathOf(visibleLine(path))} tabIndex={-1}>
      <Button variant="inline-icon" iconName="user-profile" ariaLabel={texts.home} onClick={() => onOpen(home)} />
      <ol>
        {steps.map((step, index) =>
          step.path === path ? (
            <li key={step.path} aria-current="page">
              {visibleLine(step.name)}
            </li>
          ) : (
            <li key={step.path}>
              <Button variant="inline-link" ariaLabel={index === 0 ? texts.root : texts.openDirectory(visibleLine(step.name))} onClick={() => onOpen(step.path)}>
                {visibleLine(step.name)}
              </Button>
              {index > 0 && <span aria-hidden="true">/</span>}
            </li>
          ),
        )}
      </ol>
    </nav>
  );
}
