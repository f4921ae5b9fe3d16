/** The page of one thing: header, facts, and the rest in tabs that the address remembers. */

import type { ReactNode } from 'react';

import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { Loading } from '../app/Loading.tsx';
import { partTexts } from '../texts/parts.ts';
import { PartTabs, type Part } from './PartTabs.tsx';
import type { Resource } from './resource.ts';
import { visibleLine } from './visible.ts';
import { Failure } from './denial/Failure.tsx';

interface Props<T> {
  readonly name: string;
  readonly resource: Resource<T>;
  readonly actions: ReactNode;
  readonly facts: (value: T) => { label: string; value: ReactNode }[];
  readonly parts: (value: T) => readonly Part[];
  readonly children?: ReactNode;
}

export function Details<T>({ name, resource, actions, facts, parts, children }: Props<T>) {
  const { value, error, reload } = resource;
  return (
    <ContentLayout header={<Header variant="h1" actions={value !== undefined && actions}>{visibleLine(name)}</Header>}>
      <SpaceBetween size="l">
        {error !== undefined && <Failure error={error} retry={reload} />}
        {value === undefined && error === undefined && <Loading />}
        {value !== undefined && (
          <>
            <Container header={<Header variant="h2">{partTexts.details.overview}</Header>}>
              <KeyValuePairs columns={3} items={facts(value)} />
            </Container>
            <PartTabs label={partTexts.details.tabs} parts={parts(value)} />
          </>
        )}
        {children}
      </SpaceBetween>
    </ContentLayout>
  );
}
