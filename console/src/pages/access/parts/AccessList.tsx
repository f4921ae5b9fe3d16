/** The list of all things of one kind in this area. */

import type { ReactNode } from 'react';

import { accessTexts } from '../../../texts/access.ts';
import type { Resource } from '../../../ui/resource.ts';
import { Listing, type Column } from '../../../ui/table/Listing.tsx';
import { AccessTabs } from './AccessTabs.tsx';

interface Props<T> {
  readonly area: 'users' | 'groups' | 'roles' | 'policies' | 'providers';
  readonly resource: Resource<readonly T[]>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  /** What the filter looks through. */
  readonly textOf: (item: T) => string;
  /** Makes one. */
  readonly create: ReactNode;
  readonly children?: ReactNode;
}

export function AccessList<T>({ area, create, children, ...list }: Props<T>) {
  const texts = accessTexts[area];
  return (
    <AccessTabs active={area}>
      <Listing
        {...list}
        title={texts.title}
        description={texts.description}
        things={texts.things}
        variant="page"
        filterName="find"
        empty={{ title: texts.empty, body: texts.emptyBody, action: create }}
        actions={create}
      />
      {children}
    </AccessTabs>
  );
}
