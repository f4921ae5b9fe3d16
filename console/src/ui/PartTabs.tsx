/** Parts of a page in tabs that the address remembers. */

import type { ReactNode } from 'react';

import Tabs from '@cloudscape-design/components/tabs';

import { replaceQuery, useLocation } from '../router/location.ts';

/** A tab; its identifier stands in the address. */
export interface Part {
  readonly id: string;
  readonly label: string;
  readonly content: ReactNode;
}

interface Props {
  readonly label: string;
  readonly parts: readonly Part[];
}

/** Only the part that is looked at is drawn, and loads. */
export function PartTabs({ label, parts }: Props) {
  const { query } = useLocation();
  const active = parts.find(({ id }) => id === query.get('tab')) ?? parts[0];
  return (
    <Tabs
      ariaLabel={label}
      activeTabId={active?.id ?? ''}
      onChange={({ detail }) => replaceQuery(new URLSearchParams({ tab: detail.activeTabId }))}
      tabs={parts.map(({ id, label: name, content }) => ({ id, label: name, content: id === active?.id && content }))}
    />
  );
}
